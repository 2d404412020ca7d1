"""`doctor` examines the file system of the root and the interpreters, and writes only caches."""

import errno
import os

import pytest

from tests.host import Host, base_environment
from tests.interpreters.fakes import fake_interpreter, script, times_started
from tests.limited.commands import run_without
from tests.limited.missing import Missing
from tests.mounts import mounted

MANIFEST = 'web:\n  python: ">=3.11"\n'


def test_a_host_that_has_everything_has_no_problems(host: Host) -> None:
    host.manifest(MANIFEST)
    ran = host.envsync("doctor")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Root `.envs`, on this file system (")
    assert "\n  symbolic links                                yes\n" in ran.out
    assert ran.out.endswith("\n\nNo problems found.\n")
    assert not host.root.exists()
    assert os.listdir(host.directory) == ["envs.yaml"]


def test_json_has_the_same_facts(host: Host) -> None:
    host.manifest(MANIFEST)
    host.apply()
    before = sorted(host.root.rglob("*"))
    found = host.envsync("doctor", "--output", "json").json()
    assert sorted(host.root.rglob("*")) == before
    assert found["root"] == str(host.root)
    assert found["tried_in"] == str(host.root / ".envsync/cache")
    assert found["problem"] == ""
    assert found["file_system"]["kind"]
    needed = {"locks": True, "symlinks": True, "permissions": True}
    assert found["file_system"]["abilities"].items() >= needed.items()
    assert any(each["version"].startswith("3.") for each in found["interpreters"])


@pytest.mark.parametrize(
    ("fact", "calls", "lines", "code"),
    [
        ("file locks", "flock", ["  file locks   no   two applies could run at the same time"], 2),
        ("symbolic links", "symlink symlinkat", ["  symbolic links   no   an environment needs them"], 2),
        ("hard links", "link linkat", ["  hard links   no   each generation has its own copy of every file"], 0),
    ],
)
def test_what_the_file_system_lacks_has_its_consequence(
    host: Host, fact: str, calls: str, lines: list[str], code: int
) -> None:
    host.manifest(MANIFEST)
    missing = Missing(fact=fact, where="", calls=tuple(calls.split()), error=errno.EOPNOTSUPP)
    said = run_without(missing, host.directory, ["doctor"], scratch=host.directory.parent)
    found = ["  " + "   ".join(filter(None, map(str.strip, each.split("  ")))) for each in said.out.splitlines()]
    assert [each for each in lines if each not in found] == [], said.out
    assert said.code == code
    assert ("set `root` to a directory on a local file system" in said.out) is (code == 2)


def test_an_interpreter_that_does_not_work_is_named_and_started_again(host: Host) -> None:
    host.manifest(MANIFEST)
    host.apply()
    broken = script(host.directory.parent / "bin", "python3.12", "exit 1\n")
    changeable = fake_interpreter(host.directory.parent / "bin", "python3.50", "3.50.1")
    changeable.chmod(0o777)
    old = script(host.directory.parent / "bin", "python", "echo 'Unknown option: -I' >&2; exit 2\n")
    host.env["PATH"] = f"{broken.parent}:{base_environment()['PATH']}"
    for started in (1, 2):
        ran = host.envsync("doctor")
        assert ran.code == 2
        shown = " ".join(ran.out.split())
        assert f"- `{broken}` did not report its version" in shown
        assert f"- `{changeable}` can be changed by every user hint: run `chmod go-w {changeable}`" in shown
        assert str(old) + "`" not in shown
        assert ran.out.endswith("\nProblems found: see above.\n")
        assert times_started(broken) == started
    assert times_started(changeable) == 0


def test_a_directory_that_cannot_be_written_is_named(host: Host) -> None:
    host.manifest(MANIFEST)
    host.root.mkdir()
    with mounted("-t", "tmpfs", "-o", "ro", "none", host.root):
        ran = host.envsync("doctor")
    assert ran.code == 2
    assert ran.out.startswith(
        f"Root `.envs`: its file system could not be tried in `{host.root}`: Read-only file system\n"
    )
