"""`lock`, and how other commands treat locks: fresh locks are kept, and reading commands write none."""

from pathlib import Path

import pytest

from tests.functional.host_state import planned, tree
from tests.host import Host
from tests.wheels import make_wheel

WEB = 'web:\n  python: "3.11"\n  packages: [alpha, gamma]\n'
EMPTY = 'empty:\n  python: "3.11"\n'


def lock_file(host: Host, name: str = "web") -> Path:
    return host.directory / "locks" / f"pylock.{name}.toml"


def test_lock_works_on_a_fresh_machine_and_keeps_fresh_locks_byte_for_byte(host: Host) -> None:
    host.manifest(WEB + EMPTY)
    assert host.envsync("lock", "empty").code == 0
    assert (lock_file(host, "empty").exists(), lock_file(host).exists()) == (True, False)
    ran = host.envsync("lock")
    assert (ran.code, ran.out) == (0, "")
    assert "web: wrote pylock.web.toml, 3 packages" in ran.err
    assert host.envsync("lock", "--check").code == 0
    before = tree(host.directory / "locks")
    make_wheel(host.index.directory, "gamma", "0.2")
    for arguments in (["lock"], ["apply", "--yes"], ["plan", "--locked", "--offline"]):
        assert host.envsync(*arguments).code == 0, arguments
    assert tree(host.directory / "locks") == before
    assert "gamma==0.1" in host.freeze("web")


def test_upgrade_changes_all_pins_or_one(host: Host) -> None:
    host.manifest(WEB)
    assert host.envsync("lock").code == 0
    make_wheel(host.index.directory, "gamma", "0.2")
    make_wheel(host.index.directory, "alpha", "1.2")
    host.manifest(WEB.replace("gamma]", "gamma, beta]"))
    assert host.envsync("lock", "--check").code == 2
    assert host.envsync("lock").code == 0
    assert 'name = "gamma"\nversion = "0.1"' in lock_file(host).read_text(), "pins that still fit are kept"
    assert host.envsync("lock", "-P", "gamma").code == 0
    text = lock_file(host).read_text()
    assert 'name = "gamma"\nversion = "0.2"' in text
    assert 'name = "alpha"\nversion = "1.1"' in text
    ran = host.envsync("lock", "--upgrade")
    assert ran.code == 0
    assert 'name = "alpha"\nversion = "1.2"' in lock_file(host).read_text()
    before = lock_file(host).read_bytes()
    assert host.envsync("lock", "--upgrade").code == 0
    assert lock_file(host).read_bytes() == before, "without newer versions nothing changes"


def test_a_package_that_no_environment_has_cannot_be_upgraded(host: Host) -> None:
    host.manifest(WEB)
    assert host.envsync("lock", "-P", "nothere").code == 0, "without a lock its packages are not known"
    before = lock_file(host).read_bytes()
    make_wheel(host.index.directory, "gamma", "0.2")
    for name, message, hint in (
        ("gama", "no selected environment has the package `gama`", "did you mean `gamma`?"),
        ("x", "no selected environment has the package `x`", "use one of the packages: `alpha`, `beta`, `gamma`"),
        ("gamma==0.2", "`gamma==0.2` is not a package name", "write only the name"),
    ):
        for more in ((), ("--check",)):
            ran = host.envsync("lock", "-P", "gamma", "-P", name, *more)
            assert (ran.code, message in ran.err, hint in ran.err) == (3, True, True), ran.err
    assert lock_file(host).read_bytes() == before
    assert host.envsync("lock", "-P", "Gamma").code == 0
    assert 'name = "gamma"\nversion = "0.2"' in lock_file(host).read_text()
    host.manifest(WEB.replace("gamma]", "gamma, zeta]"))
    make_wheel(host.index.directory, "zeta", "1.0")
    assert host.envsync("lock", "-P", "zeta").code == 0, "the manifest has it, but the lock does not yet"


def test_offline_sends_no_request_and_locked_refuses_outdated_locks(host: Host) -> None:
    host.manifest(WEB)
    ran = host.envsync("plan", "--locked")
    assert ran.code == 3
    assert "envsync lock web" in ran.err
    requests = len(host.index.requests)
    for arguments in (["lock", "--offline"], ["apply", "--yes", "--offline"]):
        ran = host.envsync(*arguments)
        assert ran.code == 1, arguments
        assert "offline" in ran.err
    assert len(host.index.requests) == requests
    host.apply()
    host.manifest(WEB + "  description: changed\n")
    requests = len(host.index.requests)
    assert host.envsync("apply", "--yes", "--offline", "--locked").code == 0
    (host.directory / "locks/pylock.web.toml").unlink()
    host.manifest(WEB)
    assert host.envsync("lock", "--offline").code == 0, "everything is in the cache"
    assert len(host.index.requests) == requests


@pytest.mark.parametrize("state", ["missing", "stale"])
def test_reading_commands_write_nothing(host: Host, state: str) -> None:
    host.manifest(WEB)
    if state == "stale":
        assert host.envsync("lock").code == 0
        host.manifest(WEB.replace("gamma", "beta"))
    before = tree(host.directory, but=".envs/.envsync/cache")
    assert {each["name"] for each in planned(host)["web"]["packages"]} >= {"alpha", "beta"}
    for arguments in (["check"], ["status"], ["lock", "--check"]):
        assert host.envsync(*arguments).code in {0, 2}
    assert tree(host.directory, but=".envs/.envsync/cache") == before
    assert host.root.exists() == (state == "stale")


def test_lock_keeps_the_root_out_of_git(host: Host) -> None:
    host.manifest(WEB)
    assert host.envsync("lock").code == 0
    assert (host.root / ".gitignore").read_text() == "*\n"


def test_lock_works_if_the_root_cannot_be_created(host: Host) -> None:
    (host.directory / "file").write_text("not a directory")
    host.manifest(WEB, head="root: file/envs\n")
    assert host.envsync("lock").code == 0
    assert host.envsync("plan").code == 0
    ran = host.envsync("apply", "--yes")
    assert ran.code == 1
    assert "could not be written" in ran.err


def test_a_file_that_is_not_a_lock_is_named(host: Host) -> None:
    host.manifest(WEB)
    lock_file(host).parent.mkdir()
    lock_file(host).write_text("this is not toml")
    for command, code in (("check", 2), ("lock", 1)):
        ran = host.envsync(command)
        assert ran.code == code, command
        assert "pylock.web.toml" in ran.out + ran.err
