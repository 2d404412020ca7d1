"""Hints about file systems that lack something; a filter of system calls takes it away."""

import errno
import sys

import pytest

from reconciler.interpreters import permitted
from reconciler.interpreters.choose import Interpreters
from reconciler.interpreters.permitted import ForbiddenPlaces
from tests.hints.trials import Attempts, trial
from tests.host import Host, Ran
from tests.interpreters.fakes import fake_interpreter
from tests.limited.commands import run_without
from tests.limited.missing import Missing

LOCKS = Missing(fact="file locks", where="NFS", calls=("flock",), error=errno.ENOLCK)
LINKS = Missing(fact="symbolic links", where="FAT", calls=("symlink", "symlinkat"), error=errno.EPERM)
ENVIRONMENT = 'web:\n  python: ">=3.11"\n  packages: [gamma]\n'


def ran(host: Host, missing: Missing, *arguments: str) -> Ran:
    said = run_without(missing, host.directory, arguments, scratch=host.directory.parent)
    return Ran(code=said.code, out=said.out, err=said.err)


@trial(
    "state/root_file_system.py: set `root` to a directory on a local file system, such as ext4, xfs, btrfs or APFS",
)
def test_a_root_on_a_file_system_without_locks_or_links(host: Host, attempts: Attempts) -> None:
    for missing in (LOCKS, LINKS):
        host.manifest(ENVIRONMENT)
        attempts.again("state/root_file_system.py")
        attempts.printed_by(ran(host, missing, "apply", "--yes"))
        host.manifest(ENVIRONMENT, head=f"root: {host.directory.parent}/elsewhere\n")
        attempts.gone("apply", "--yes")


@trial("engines/uv_errors.py: set `TMPDIR` to a directory on a local file system")
def test_a_temporary_directory_without_locks(host: Host, attempts: Attempts) -> None:
    host.manifest(ENVIRONMENT)
    attempts.printed_by(ran(host, LOCKS, "lock"))
    elsewhere = host.directory.parent / "local"
    elsewhere.mkdir()
    attempts.gone("lock", env={"TMPDIR": str(elsewhere)})


@trial("interpreters/permitted.py: run `xcode-select --install`, or use a different interpreter")
def test_the_stub_of_xcode(host: Host, attempts: Attempts) -> None:
    stub = fake_interpreter(host.directory.parent / "bin", "python3", "3.12.1")
    interpreters = Interpreters({}, places=ForbiddenPlaces(), cache=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "platform", "darwin")
        patch.setattr(permitted, "_XCODE_STUBS", frozenset({str(stub)}))
        patch.setattr(permitted, "_DEVELOPER_TOOLS", (str(host.directory / "tools"),))
        attempts.refused(lambda: interpreters.choose(str(stub)))
        (host.directory / "tools").mkdir()  # what the installation makes
        assert interpreters.choose(str(stub)).version == "3.12.1"
    attempts.cured()
