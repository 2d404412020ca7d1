"""Hints about file systems that lack something; a filter of system calls takes it away."""

import errno
import sys

import pytest

import reconciler
from reconciler.interpreters import permitted, search_path
from reconciler.interpreters.choose import Interpreters
from reconciler.interpreters.permitted import ForbiddenPlaces
from reconciler.render.diagnosis_text import render_diagnosis
from reconciler.render.style import Palette
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


@trial("render/diagnosis_text.py: install Python")
def test_a_host_without_an_interpreter(host: Host, attempts: Attempts) -> None:
    host.manifest("{}")
    programs = host.directory.parent / "bin"
    workspace = reconciler.load(host.directory / "envs.yaml", ambient={"PATH": str(programs), "HOME": "/nonexistent"})

    def text() -> str:
        return render_diagnosis(workspace.diagnose(), ".envs", palette=Palette.plain(), width=300)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_path, "FIXED", ())
        attempts.printed_by(Ran(code=2, out=text(), err=""))
        fake_interpreter(programs, "python3.13", "3.13.1")
        assert text().endswith("  3.13.1  " + str(programs / "python3.13") + "\n\nNo problems found.\n")
    attempts.cured()


@trial('manifest/python_request.py: write `"{version}"`, or `"3.13t"` or later')
def test_a_free_threaded_build_that_does_not_exist(host: Host, attempts: Attempts) -> None:
    for cure in ("3.11", "3.13t"):
        attempts.again("manifest/python_request.py")
        host.manifest('web:\n  python: "3.11t"\n')
        attempts.provoke("validate")
        host.manifest(f'web:\n  python: "{cure}"\n')
        attempts.gone("validate")
