"""The sweep misses no system call that changes a file: each one is stopped, with the right file, and has an error."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.state.layout import Layout
from tests.faults.calls import CALLS_OF
from tests.faults.faults import ERRORS
from tests.faults.tracer import CAN_TRACE, Call, Fault, Traced, trace
from tests.host import Host, base_environment, new_host

pytestmark = [
    pytest.mark.skipif(not CAN_TRACE, reason="the tracer supports only Linux on x86-64"),
    # The index is a thread, which a forked child does not have; the child calls exec immediately.
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
]
KIND_OF = {name: kind for kind, calls in CALLS_OF.items() for name in calls.values()}
INJECTED = frozenset(name for _, names in ERRORS.values() for name in names)

# One statement for each way to change a file, and the kind and the file of its call: `d` is the descriptor of the
# working directory, `w` and `r` are those of files.
STATEMENTS = {
    "w = os.open('w', os.O_RDWR | os.O_CREAT)": "open w",
    "os.open('at', os.O_WRONLY | os.O_CREAT, dir_fd=d)": "open at",
    "os.write(w, b'text')": "write w",
    "os.pwrite(w, b'text', 0)": "write w",
    "os.writev(w, [b'text'])": "write w",
    "os.pwritev(w, [b'text'], 0)": "write w",
    "os.sendfile(w, r, 0, 1)": "write w",
    "os.copy_file_range(r, w, 1)": "write w",
    "fcntl.ioctl(w, 0x40049409, r)": "write w",
    "os.truncate('w', 3)": "resize w",
    "os.ftruncate(w, 3)": "resize w",
    "os.posix_fallocate(w, 0, 9)": "resize w",
    "os.fsync(w)": "flush w",
    "os.fdatasync(w)": "flush w",
    "os.rename('at', 'new')": "rename at",
    "os.rename('new', 'at', src_dir_fd=d, dst_dir_fd=d)": "rename new",
    "os.link('w', 'link')": "link w",
    "os.link('w', 'other link', src_dir_fd=d, dst_dir_fd=d)": "link w",
    "os.symlink('elsewhere', 'symlink')": "symlink symlink",
    "os.symlink('elsewhere', 'symlink at', dir_fd=d)": "symlink symlink at",
    "os.mkfifo('pipe')": "make pipe",
    "os.mkfifo('pipe at', dir_fd=d)": "make pipe at",
    "os.mkdir('directory')": "mkdir directory",
    "os.mkdir('directory at', dir_fd=d)": "mkdir directory at",
    "os.unlink('link')": "unlink link",
    "os.unlink('other link', dir_fd=d)": "unlink other link",
    "os.rmdir('directory')": "rmdir directory",
    "os.rmdir('directory at', dir_fd=d)": "unlink directory at",
    "os.chmod('w', 0o600)": "chmod w",
    "os.chmod('w', 0o600, dir_fd=d)": "chmod w",
    "os.fchmod(w, 0o600)": "chmod w",
    "os.chown('w', -1, -1)": "chown w",
    "os.chown('w', -1, -1, dir_fd=d)": "chown w",
    "os.lchown('w', -1, -1)": "chown w",
    "os.fchown(w, -1, -1)": "chown w",
    "os.utime('w')": "utime w",
    "os.utime('w', dir_fd=d)": "utime w",
    "os.utime(w)": "utime w",
    "os.setxattr('w', 'user.a', b'')": "xattr w",
    "os.setxattr(w, 'user.a', b'')": "xattr w",
    "os.removexattr('w', 'user.a', follow_symlinks=False)": "xattr w",
    "fcntl.flock(w, fcntl.LOCK_EX)": "lock w",
}


def run_statements(directory: Path, fault: Fault | None = None) -> list[Call]:
    """Run all statements in a process of their own; one that the system refuses or cannot do is stopped before."""
    directory.mkdir()
    (directory / "r").write_text("read")
    body = "".join(f"try: {each}\nexcept OSError as error: print(error.errno)\n" for each in STATEMENTS)
    program = f"import fcntl, os\nr, d = os.open('r', os.O_RDONLY), os.open('.', os.O_RDONLY)\n{body}"
    traced = trace(
        [sys.executable, "-I", "-B", "-c", program],
        cwd=directory,
        env=base_environment(),
        output_directory=directory.parent,
        fault=fault,
    )
    assert traced.code == 0, traced.err
    return traced.calls["own"]


def test_each_way_to_change_a_file_is_stopped_with_its_file(tmp_path: Path) -> None:
    stopped = run_statements(tmp_path / "all")
    assert [f"{KIND_OF[each.name]} {Path(each.path).name}" for each in stopped] == list(STATEMENTS.values())


def test_an_error_can_be_injected_into_each_of_them(tmp_path: Path) -> None:
    fault = Fault(whose="own", at=2, error=errno.EIO, lasting=True, calls=ERRORS["EIO"][1])  # the first opens `w`
    stopped = run_statements(tmp_path / "all", fault)
    assert len(stopped) == len(STATEMENTS)
    assert (tmp_path / "out").read_text().splitlines() == [str(errno.EIO)] * (len(STATEMENTS) - 1)


def test_a_call_that_is_in_no_list_is_refused(tmp_path: Path) -> None:
    program = "import ctypes; ctypes.CDLL(None).syscall(425, 0, None)"  # io_uring_setup: it can change any file
    argv = [sys.executable, "-I", "-c", program]
    with pytest.raises(RuntimeError, match=r"in no list of tests/faults/calls\.py: \[425\]"):
        trace(argv, cwd=tmp_path, env=base_environment(), output_directory=tmp_path)


ENVIRONMENT = '{}:\n  python: "3.11"\n  packages: [{}]\n'
COPIED = ENVIRONMENT.format("job", "gamma") + "  link_mode: copy\n"
CLONED = ENVIRONMENT.format("site", "gamma") + "  link_mode: clone\n"


def test_every_call_that_changes_a_file_in_a_real_run_has_an_error(tmp_path: Path) -> None:
    """The tracer itself refuses those that are in no list."""
    with new_host(tmp_path / "host") as host:

        def run(*arguments: str) -> Traced:
            """Run a command until it ends; it must succeed and change something."""
            argv = [sys.executable, "-m", "reconciler", *arguments]
            done = trace(argv, cwd=host.directory, env=base_environment(), output_directory=tmp_path)
            assert done.code == 0, (arguments, done.out, done.err)
            assert done.calls["own"], arguments
            names = {each.name for whose in done.calls.values() for each in whose}
            assert not names - INJECTED, arguments
            return done

        host.manifest(ENVIRONMENT.format("web", "alpha==1.0") + COPIED + CLONED)
        made_by_a_person(host, "site")
        run("lock")
        run("apply", "--yes", "--adopt")
        (host.venv("web") / "notes.txt").write_text("mine")
        host.manifest(ENVIRONMENT.format("web", "alpha==1.1") + "  ignore_files: [notes.txt]\n" + CLONED)
        run("apply", "--yes")
        run("rollback", "web", "--hold", "INC-42")
        run("release", "web")
        run("hold", "web", "INC-43")
        run("release", "web")
        run("apply", "--stage", "--yes")
        run("publish", "--all", "--yes")
        run("plan", "--out", "plan.json")
        host.manifest(ENVIRONMENT.format("api", "alpha==1.1") + "  renamed_from: web\n" + CLONED)
        run("apply", "--yes")
        run("destroy", "api", "--yes")
        run("rollback", "api")
        run("destroy", "api", "--yes")
        run("gc", "--deleted", "--cache")
        Layout(host.root).mark.unlink()
        run("trust", "--yes")


def made_by_a_person(host: Host, name: str) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(host.venv(name))], check=True)
