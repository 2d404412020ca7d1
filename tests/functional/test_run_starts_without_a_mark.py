"""`envsync run` marks its generation as in use, and starts the command also if that is not possible."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host import Host, base_environment, new_host

COMMAND = [sys.executable, "-m", "reconciler"]
STARTED = ["run", "jobs", "--", "python", "-c", "print('up')"]
# What open(2) and flock(2) answer if a file cannot be made, opened or locked, on any file system.
ERRORS = {
    "openat": [
        "EACCES",
        "EPERM",
        "EROFS",
        "ENOSPC",
        "EDQUOT",
        "EMFILE",
        "ENFILE",
        "ENOMEM",
        "EIO",
        "ESTALE",
        "EOPNOTSUPP",
    ],
    "flock": ["ENOLCK", "EOPNOTSUPP", "EINVAL", "ENOSYS", "EIO", "EACCES"],
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with new_host(tmp_path_factory.mktemp("mark")) as host:
        host.manifest('jobs:\n  python: "3.11"\n  packages: [beta]\n')
        host.apply()
        yield host


@pytest.fixture
def mark(made: Host) -> Iterator[Path]:
    """Return the path of the mark, which is as after an apply at the end of the test."""
    path = made.root / ".envsync/generations/jobs/1/in-use"
    yield path
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    path.unlink(missing_ok=True)
    path.touch()


def run(host: Host, *before: str) -> subprocess.CompletedProcess[str]:
    """Run a program in the environment, started by the command `before`."""
    return subprocess.run(
        [*before, *COMMAND, *STARTED],
        cwd=host.directory,
        env=base_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def in_mount_namespace(host: Host, script: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script with its own mounts; `$@` is `envsync run` with its arguments."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("mounting needs the superuser, and `unshare`")
    if subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system allows no mount namespaces")
    return run(host, "unshare", "-m", "sh", "-ec", script, "sh")


def test_an_apply_makes_the_mark_so_that_run_must_not(made: Host, mark: Path) -> None:
    assert mark.is_file()


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize(("call", "error"), [(call, error) for call, errors in ERRORS.items() for error in errors])
def test_no_error_of_the_mark_stops_a_service(made: Host, mark: Path, call: str, error: str, exists: bool) -> None:
    if not shutil.which("strace") or subprocess.run(["strace", "true"], check=False, capture_output=True).returncode:
        pytest.skip("strace is missing, or may not trace here")
    if not exists:
        mark.unlink()
    ran = run(made, "strace", "-o", "/dev/null", "-P", str(mark), "-e", f"inject={call}:error={error}")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "up\n", "")


@pytest.mark.parametrize("kind", ["fifo", "directory", "loop", "dangling"])
def test_something_else_in_the_place_of_the_mark_stops_no_service(made: Host, mark: Path, kind: str) -> None:
    mark.unlink()
    match kind:
        case "fifo":
            os.mkfifo(mark)
        case "directory":
            mark.mkdir()
        case "loop":
            mark.symlink_to(mark.name)
        case _:
            mark.symlink_to(mark.parent / "elsewhere")
    ran = run(made)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "up\n", "")
    assert not (mark.parent / "elsewhere").exists()


@pytest.mark.parametrize("exists", [True, False])
def test_a_read_only_file_system_stops_no_service(made: Host, mark: Path, exists: bool) -> None:
    if not exists:
        mark.unlink()
    script = f'mount --bind "{made.directory}" "{made.directory}"; mount -o remount,ro,bind "{made.directory}"; '
    script += f'cd "{made.directory}"; ! touch .envs/probe 2>/dev/null; exec "$@"'
    ran = in_mount_namespace(made, script)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "up\n", "")


def test_a_file_system_without_free_inodes_stops_no_service(made: Host, mark: Path) -> None:
    script = "mkdir full; mount -t tmpfs -o size=200m,nr_inodes=600 tmpfs full; cp -a .envs/. full/; "
    script += "rm full/.envsync/generations/jobs/1/in-use; i=0; while touch full/f$i 2>/dev/null; do i=$((i+1)); done; "
    script += 'mount --bind full .envs; ! touch .envs/more 2>/dev/null; exec "$@"'
    ran = in_mount_namespace(made, script)
    assert (ran.returncode, ran.stdout) == (0, "up\n"), ran.stderr
