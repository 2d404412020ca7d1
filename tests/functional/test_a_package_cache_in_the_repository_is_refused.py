"""With `cache: user`, a cache that a commit may have brought is not read: it could name programs, or have packages."""

import subprocess

import pytest

from tests.host import Host

WEB = 'web:\n  python: "3.12"\n  packages: [gamma]\n'


@pytest.mark.parametrize("command", [["lock"], ["apply", "--yes"], ["lock", "--upgrade"]], ids=" ".join)
@pytest.mark.parametrize("locked", [False, True])
def test_no_command_uses_it(command: list[str], locked: bool, host: Host) -> None:
    subprocess.run(["git", "init", "-q", host.directory], check=True)
    host.manifest(WEB, head="cache: user\n")
    outside = {"XDG_CACHE_HOME": str(host.directory.parent / "cache")}
    if locked:
        assert host.envsync("lock", env=outside).code == 0
    inside = {"XDG_CACHE_HOME": str(host.directory / ".cache")}
    facts = host.directory / ".cache/uv/interpreter-v5/0123/456.msgpack"
    facts.parent.mkdir(parents=True)
    facts.write_bytes(b"planted")
    ran = host.envsync(*command, env=inside)
    if locked and command == ["lock"]:  # nothing has to be resolved
        assert ran.code == 0, ran.err
    else:
        assert ran.code == 1, ran.out
        cache = host.directory / ".cache/uv"
        assert f"the package cache `{cache}` is in the repository of the manifest `{host.directory}`" in ran.err
    assert not host.venv("web").exists()
    assert [each.name for each in facts.parents[2].iterdir()] == ["interpreter-v5"], "uv did not write there"
    assert host.envsync("apply", "--yes", env=outside).code == 0
