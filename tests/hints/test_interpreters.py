"""Hints about interpreters that must not be started, or that cannot be."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.hints.trials import Attempts, trial
from tests.host import Host, base_environment
from tests.interpreters.fakes import fake_interpreter
from tests.mounts import mounted

REAL = os.path.realpath("/usr/bin/python3")


def manifest(host: Host, python: Path | str) -> None:
    host.manifest(f'web:\n  python: "{python}"\n')


def say(host: Host, attempts: Attempts) -> None:
    """Run the command of the last hint in a shell, as the user of the tests, who may do it."""
    [command] = re.findall(r"`((?:chmod|chown) [^`]+)`", attempts.seen[attempts.last])
    subprocess.run(["sh", "-c", command], check=True, cwd=host.directory)


@trial("interpreters/permitted.py: run `chmod go-w {path}`, or use an interpreter that only root and you can change")
def test_an_interpreter_that_others_can_change(host: Host, attempts: Attempts) -> None:
    program = fake_interpreter(host.directory.parent / "with space/bin", "python3.50", "3.50.1")
    for python in (str(program), "3.50"):
        manifest(host, python)
        path = {"PATH": f"{program.parent}:{base_environment()['PATH']}"}
        for change in (program, program.parent.parent):
            change.chmod(0o777)
            attempts.again("interpreters/permitted.py: run")
            attempts.provoke("plan", env=path)
            say(host, attempts)
            attempts.gone("check", code=2, env=path)


@trial(
    "interpreters/permitted.py: run `chown -h {user} {path}`, or use an interpreter that only root and you can change"
)
def test_an_interpreter_of_another_user(host: Host, attempts: Attempts) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to a different user")
    program = fake_interpreter(host.directory.parent / "bin", "python3.12", "3.12.1")
    manifest(host, program)
    os.chown(program, 65534, -1)
    attempts.provoke("check")
    say(host, attempts)
    attempts.gone("check", code=2)
    os.chown(program, 65534, -1)
    manifest(host, REAL)  # the other thing that the hint says
    attempts.gone("check", code=2)


@trial("interpreters/permitted.py: name the interpreter itself, for example `/usr/bin/python3`")
def test_a_link_to_a_program_that_is_not_an_interpreter(host: Host, attempts: Attempts) -> None:
    link = host.directory.parent / "python3"
    link.symlink_to("/bin/sh")
    manifest(host, link)
    attempts.provoke("check")
    manifest(host, "/usr/bin/python3")
    attempts.gone("check", code=2)


@trial(
    "manifest/python_request.py: write the path of the interpreter itself, for example `/usr/bin/python3`, "
    'or a version such as `"3.12"`'
)
def test_a_path_of_another_program(host: Host, attempts: Attempts) -> None:
    manifest(host, "/bin/sh")
    attempts.provoke("validate")
    manifest(host, "/usr/bin/python3")
    attempts.gone("validate")
    manifest(host, "3.12")
    attempts.gone("validate")


@trial("interpreters/choose.py: write this path as the value of `python`, or add its directory to `PATH`")
def test_an_interpreter_that_only_the_record_names(host: Host, attempts: Attempts) -> None:
    link = host.directory.parent / "bin/python3"
    link.parent.mkdir()
    link.symlink_to(REAL)
    path = {"PATH": f"{link.parent}:{base_environment()['PATH']}"}
    manifest(host, link)
    assert host.envsync("apply", "--yes").code == 0
    series = next((host.root / "web/lib").glob("python3*")).name.removeprefix("python")
    manifest(host, series)
    assert host.envsync("apply", "--yes", env=path).code == 0
    attempts.provoke("check")
    attempts.gone("check", env=path)
    manifest(host, link)
    assert host.envsync("apply", "--yes").code == 0
    attempts.gone("check")


@trial(
    "engines/isolated_interpreter.py: set `TMPDIR` to a directory on a file system without the mount option `noexec`"
)
def test_nothing_can_be_started_from_temporary_directories(host: Host, attempts: Attempts) -> None:
    place = host.directory.parent / "noexec"
    place.mkdir()
    with mounted("-t", "tmpfs", "-o", "noexec", "tmpfs", place):
        temporary, state = place / "tmp", place / "root"
        temporary.mkdir()
        state.mkdir()
        host.manifest('web:\n  python: "3.11"\n  packages: [gamma]\n', head=f"root: {state}\n")
        attempts.provoke("lock", env={"TMPDIR": str(temporary)})
        with tempfile.TemporaryDirectory() as other:
            attempts.gone("lock", env={"TMPDIR": other})
        host.manifest('web:\n  python: "3.11"\n  packages: [beta]\n')  # the root is elsewhere, and so is the cache
        attempts.gone("lock", env={"TMPDIR": str(temporary)})
