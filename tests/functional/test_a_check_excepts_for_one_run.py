"""`check --except NAME:PATTERN`: differences that do not count in one run are listed, and only those."""

from collections.abc import Iterator

import pytest

from tests.functional.test_check_finds_and_apply_puts_right import uv
from tests.host import Host, new_host, put_back
from tests.wheels import make_wheel


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host with an added package, an edited module and an added file."""
    with new_host(tmp_path_factory.mktemp("host")) as host:
        make_wheel(host.index.directory, "Agent-Core", "1.0")
        host.manifest(
            'web:\n  python: "3.11"\n  packages: [alpha==1.0, gamma]\n  link_mode: copy\nother:\n  python: "3.11"\n'
        )
        host.apply()
        uv(host, "install", "--default-index", host.index.url, "agent-core")
        (host.site_packages("web") / "gamma/__init__.py").write_text("EDITED = 1\n")
        (host.venv("web") / "note.txt").write_text("mine")
        yield host


@pytest.fixture
def web(made: Host) -> Iterator[Host]:
    """Yield that host, and put everything back after the test."""
    with put_back(made) as host:
        yield host


ALL = ("--except", "web:agent_core", "--except", "web:gamma", "--except", "web:*.txt")


@pytest.mark.parametrize("depth", ["files", "hashes"])
def test_what_is_excepted_is_listed_and_does_not_count(web: Host, depth: str) -> None:
    found = web.environment("web", "--depth", depth, *ALL)
    assert (found["action"], found["reasons"], found["packages"], found["findings"]) == ("no-op", [], [], [])
    assert found["notes"] == [
        "excepted by `web:agent_core`: `agent-core`",
        "excepted by `web:gamma`: `gamma`",
        "excepted by `web:*.txt`: `note.txt`",
    ]
    ran = web.envsync("check", *ALL)
    assert ran.code == 0
    assert "note: web: excepted by `web:gamma`: `gamma`" in ran.out


@pytest.mark.parametrize("left", range(3))
def test_what_is_not_excepted_still_counts(web: Host, left: int) -> None:
    arguments = [ALL[each] for each in range(6) if each // 2 != left]
    found = web.environment("web", *arguments)
    codes = {each["code"] for each in found["reasons"]}
    assert codes == ({"packages-drifted"}, {"files-drifted"}, {"files-drifted"})[left]


def test_it_is_not_remembered(web: Host) -> None:
    assert web.envsync("check", *ALL).code == 0
    assert web.envsync("check").code == 2


def test_an_exception_that_matches_nothing_is_a_note(web: Host) -> None:
    found = web.environment("other", "--except", "other:idna")
    assert found["notes"] == ["`--except other:idna` matches no difference"]


@pytest.mark.parametrize(
    ("text", "word"), [("web", "NAME:PATTERN"), (":x", "NAME:PATTERN"), ("web:", "NAME:PATTERN"), ("nine:x", "unknown")]
)
def test_a_wrong_exception_is_refused(web: Host, text: str, word: str) -> None:
    ran = web.envsync("check", "--except", text)
    assert ran.code == 3
    assert word in ran.err


def test_a_pending_change_can_be_excepted(host: Host) -> None:
    host.manifest('web:\n  python: "3.11"\n  packages: [alpha==1.0]\n')
    host.apply()
    host.manifest('web:\n  python: "3.11"\n  packages: [alpha==1.1]\n')
    assert host.envsync("lock").code == 0
    assert host.envsync("check").code == 2
    assert host.envsync("check", "--except", "web:alpha").code == 0


def test_a_snapshot_is_judged_with_exceptions(web: Host) -> None:
    assert web.envsync("observe", "--out", "snapshot.json").code == 0
    assert web.envsync("check", "--actual", "snapshot.json").code == 2
    assert web.envsync("check", "--actual", "snapshot.json", *ALL).code == 0
