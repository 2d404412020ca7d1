"""A read-only container: no writable temporary directory, a user that exists nowhere, and no HOME."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import reconciler
from tests.host import Host, Ran, new_host
from tests.unprivileged import reachable_directory

# An interpreter that any user can start; that of the tests may be in the home directory of root.
SYSTEM_PYTHON = Path(f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}")
PROGRAMS = ("unshare", "setpriv", "mount")
START = """
set -e
for directory in /tmp /var/tmp "$1"; do
    mount --bind "$directory" "$directory"
    mount -o remount,ro,bind "$directory"
done
cd "$1"
python=$2 path=$3
shift 3
exec setpriv --reuid=12345 --regid=12345 --clear-groups \\
    env -i PYTHONDONTWRITEBYTECODE=1 "PYTHONPATH=$path" "$python" -m reconciler "$@"
"""


@pytest.fixture
def host() -> Iterator[Host]:
    if not SYSTEM_PYTHON.exists():
        pytest.skip(f"needs {SYSTEM_PYTHON}, which every user can start")
    if missing := [each for each in PROGRAMS if shutil.which(each) is None]:
        pytest.skip(f"needs the programs {missing}")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("needs root, to mount a file system")
    with reachable_directory() as directory, new_host(directory / "host") as host:
        host.manifest(f'web:\n  python: "{SYSTEM_PYTHON}"\n  packages: [gamma]\n')
        for each in (directory, directory / "host", host.directory):
            each.chmod(0o755)
        yield host


def in_container(host: Host, *arguments: str) -> Ran:
    """Run envsync as a process of such a container."""
    checkout = Path(reconciler.__file__).parents[1]
    packages = next(each for each in sys.path if each.endswith("site-packages"))
    given = (str(host.directory), str(SYSTEM_PYTHON), f"{checkout}:{packages}")
    command = ["unshare", "--mount", "bash", "-c", START, "bash", *given, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr)


def test_what_only_reads_works_and_a_service_starts(host: Host) -> None:
    host.apply()
    code = "import gamma, os; print('started as', os.getuid(), os.environ.get('HOME'))"
    ran = in_container(host, "run", "web", "--", "python", "-c", code)
    assert (ran.code, ran.out, ran.err) == (0, "started as 12345 None\n", "")
    for command in ("plan", "check", "check --depth hashes", "status", "verify", "freeze web", "history"):
        ran = in_container(host, *command.split())
        assert (ran.code, ran.err) == (0, ""), (command, ran.out)


def test_what_writes_says_that_it_cannot(host: Host) -> None:
    host.apply()
    for command in ("apply --yes", "rollback web", "gc"):
        ran = in_container(host, *command.split())
        assert ran.code == 1, command
        assert "Traceback" not in ran.err
        assert "hint: " in ran.err, ran.err
