"""A lock is a file of a pull request: one with files on another host is refused by every command."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host import Host
from tests.index import ServedIndex, serve_index
from tests.wheels import make_wheel

PAIR = 'web:\n  python: "3.11"\n  packages: [alpha==1.0]\nother:\n  python: "3.11"\n  packages: [gamma]\n'
ONE = 'web:\n  python: "3.11"\n  packages: [alpha==1.0]\n'


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[ServedIndex]:
    """Serve a second host, which has files with the same names and other contents."""
    wheels = tmp_path / "elsewhere"
    wheels.mkdir()
    make_wheel(wheels, "alpha", "1.0", requires=["beta"], modules={"alpha/__init__.py": "NAME = 'evil'\n"})
    make_wheel(wheels, "beta", "2.0", modules={"beta.py": "NAME = 'evil'\n"})
    with serve_index(wheels) as index:
        yield index


def lock_of(host: Host, name: str = "web") -> Path:
    return host.directory / "locks" / f"pylock.{name}.toml"


def place_of(index: ServedIndex) -> str:
    return index.base.partition("://")[2]


def with_file_hosts(host: Host, environments: str, *indexes: ServedIndex) -> None:
    """Write a manifest whose index has the files of others."""
    hosts = ", ".join(f'"{place_of(each)}"' for each in indexes)
    index = f"indexes:\n  - {{name: local, url: '{host.index.url}', file_hosts: [{hosts}]}}\n"
    host.manifest(environments, head=index, local_index=False)


def test_a_lock_with_another_host_blocks_its_environment_and_is_made_again(host: Host, elsewhere: ServedIndex) -> None:
    host.manifest(PAIR)
    assert host.envsync("lock").code == 0
    honest = lock_of(host).read_text(encoding="utf-8")
    assert host.envsync("validate").code == 0
    for edited in (
        honest.replace(f"{host.index.base}/files", f"{elsewhere.base}/files"),
        honest.replace(host.index.url.rstrip("/"), elsewhere.url.rstrip("/")).replace(host.index.base, elsewhere.base),
    ):
        lock_of(host).write_text(edited, encoding="utf-8")
        for arguments, code in (
            (["validate"], 3),
            (["lock", "--check"], 1),
            (["plan", "--detailed-exitcode"], 2),
            (["check"], 2),
            (["apply", "--yes", "--locked"], 4),
        ):
            ran = host.envsync(*arguments)
            said = " ".join((ran.out + ran.err).split())
            assert ran.code == code, (arguments, said)
            assert re.search(r"pylock\.web\.toml:\d+:\d+: `?(alpha|the file of `alpha`)", said), (arguments, said)
            assert elsewhere.base in said, arguments
            assert host.index.base in said, arguments
            assert "run `envsync lock web`" in said, arguments
        found = host.environment("web")
        assert [each["code"] for each in found["blocked"]] == ["lock-refused"]
        assert not host.venv("web").exists()
        assert host.venv("other").exists(), "the other environment is applied"
        assert elsewhere.requests == [], "nothing was fetched"
    again = host.envsync("lock", "web")
    assert (again.code, "wrote pylock.web.toml" in again.err) == (0, True), again.err
    assert lock_of(host).read_text(encoding="utf-8") == honest
    host.apply()


def test_files_on_another_host_need_file_hosts(host: Host, elsewhere: ServedIndex) -> None:
    host.index.files_at = elsewhere.base
    for name in ("alpha-1.0-py3-none-any.whl", "beta-2.0-py3-none-any.whl"):
        (elsewhere.directory / name).write_bytes((host.index.directory / name).read_bytes())
    host.manifest(ONE)
    ran = host.envsync("lock")
    assert ran.code == 1
    assert f"is on `{elsewhere.base}`, but index `local` is at `{host.index.base}`" in ran.err
    assert f"first write `file_hosts: [{place_of(elsewhere)}]` in that index" in ran.err
    with_file_hosts(host, ONE, elsewhere)
    assert host.envsync("lock").code == 0
    assert elsewhere.base in lock_of(host).read_text(encoding="utf-8")
    assert host.envsync("validate").code == 0
    host.apply()
    assert host.freeze("web") == ["alpha==1.0", "beta==2.0"]
    host.manifest(ONE)  # the lock is up to date, and no longer allowed
    assert host.envsync("lock", "--check").code == 1


def test_an_index_that_redirects_its_pages_needs_file_hosts(host: Host, elsewhere: ServedIndex) -> None:
    host.index.moved = ("/simple/", elsewhere.base)
    host.manifest(ONE)
    ran = host.envsync("lock")
    assert ran.code == 1
    assert f"is on `{elsewhere.base}`" in ran.err
    with_file_hosts(host, ONE, elsewhere)
    assert host.envsync("lock").code == 0
    host.apply()


def test_an_index_that_redirects_its_files_needs_nothing(host: Host, elsewhere: ServedIndex) -> None:
    """The lock has the host that the pages name; what is behind a redirect is bound by the hash."""
    host.manifest(ONE)
    assert host.envsync("lock").code == 0
    host.index.moved = ("/files/", elsewhere.base)
    ran = host.envsync("apply", "--yes", "--locked")
    assert ran.code == 1, "the files there have other hashes"
    assert "hash" in ran.err
    for name in ("alpha-1.0-py3-none-any.whl", "beta-2.0-py3-none-any.whl"):
        (elsewhere.directory / name).write_bytes((host.index.directory / name).read_bytes())
    host.apply()
