"""One change as in `docs/ci.md`: edit, lock, review, merge, approve, apply, with a manual change in between."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.render.formats import Format
from tests.functional.host_state import tree
from tests.host import Host
from tests.index import serve_index
from tests.walk import BLOCK, PAGE, SCENES, Clones, make_clones, with_scenes


@pytest.fixture
def clones(tmp_path: Path) -> Iterator[Clones]:
    with serve_index(tmp_path / "wheels") as index:
        yield make_clones(tmp_path, index)


def test_one_change_from_pull_request_to_applied(clones: Clones) -> None:
    played: dict[str, str] = {}

    def play(*names: str) -> str:
        played.update((name, clones.scene(name)) for name in names)
        return played[names[-1]]

    assert "pylock.web.toml" in play("edit")
    proposed = play("pull request")
    assert "| `flask` | 3.0.3 | 3.1.2 | pending | lock changed |" in proposed
    assert not (clones.path("ci") / ".envs").exists(), "CI needs no environments"
    assert "flask" in play("merge", "save")
    assert "exit code 0" in play("apply")
    assert clones.at("host").freeze("web") == ["flask==3.1.2", "gunicorn==23.0.0", "werkzeug==3.1.3"]

    play("next", "manual change")
    before = environments(clones)
    refused = play("refused")
    assert "`web` changed on disk" in refused
    assert "exit code 3" in refused
    assert environments(clones) == before, "nothing was changed"

    assert "exit code 2" in play("nightly")
    assert "exit code 2" in play("away")
    actual = ("--actual", str(clones.directory / "tmp/actual.json"))
    each_format_reports(clones.at("host"))
    each_format_reports(clones.at("ci"), *actual)
    assert checked(clones.at("host")) == checked(clones.at("ci"), *actual)

    assert play("again").endswith("exit code 0\n")
    assert clones.at("host").freeze("web") == ["flask==3.1.2", "gunicorn==23.1.0", "werkzeug==3.1.3"]
    assert clones.at("host").envsync("check", "--depth", "hashes").code == 0

    page = PAGE.read_text(encoding="utf-8")
    assert {found["scene"] for found in BLOCK.finditer(page)} == played.keys() == SCENES.keys()
    assert with_scenes(page, played) == page, "run `python -m tests.walk`"


def environments(clones: Clones) -> list[object]:
    """Return all that an apply could change on the host: generations, records, history and links."""
    root = clones.path("host") / ".envs"
    kept = [tree(root / ".envsync" / name) for name in ("generations", "environments")]
    links = [(root / name).readlink() for name in ("web", "jobs")]
    return [*kept, (root / ".envsync/history.jsonl").read_bytes(), links]


def each_format_reports(clone: Host, *arguments: str) -> None:
    """Assert that every format names the package that was changed manually, with the same exit code."""
    for form in Format:
        ran = clone.envsync("check", "--output", form, *arguments)
        assert (ran.code, "werkzeug" in ran.out) == (2, True), ran.out


def checked(clone: Host, *arguments: str) -> object:
    """Return the environments of a check, in a clone that has them or that has their snapshot."""
    return clone.envsync("check", "--output", "json", *arguments).json()["environments"]
