"""A small file is replaced completely or not at all."""

import ctypes
import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.fs import atomic_write
from reconciler.fs.access import umask_of
from reconciler.fs.atomic_write import (
    clear_temporaries,
    process_exists,
    replacing,
    write_atomic,
    write_cache,
    write_users_file,
)
from reconciler.fs.sync import begin_sync, sync_directory, sync_filesystem
from tests.unprivileged import reachable_directory, unprivileged


def test_a_file_is_created_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (b"old", b"", b"\0new" * 100_000):
        write_atomic(path, content)
        assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["file"]


def test_the_mode_is_the_requested_one(tmp_path: Path) -> None:
    write_atomic(tmp_path / "plain", b"")
    write_atomic(tmp_path / "secret", b"", mode=0o600)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "plain").stat().st_mode & 0o600 == 0o600


def test_the_file_and_its_directory_are_flushed_unless_a_power_cut_may_lose_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[tuple[int, int]] = []

    def flush(descriptor: int) -> None:
        status = os.fstat(descriptor)
        flushed.append((status.st_ino, -1 if stat.S_ISDIR(status.st_mode) else status.st_size))

    monkeypatch.setattr(os, "fsync", flush)
    write_atomic(tmp_path / "file", b"content")
    assert flushed == [((tmp_path / "file").stat().st_ino, 7), (tmp_path.stat().st_ino, -1)]
    flushed.clear()
    write_atomic(tmp_path / "file", b"content", flush=False)
    write_cache(tmp_path / "cache", b"content")
    assert flushed == []


def test_a_file_of_the_user_has_the_umask_of_the_user(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_users_file(tmp_path / "plain", b"content")
        with umask_of(0o055):
            write_users_file(tmp_path / "while", b"content")
        os.umask(0)
        with umask_of(0):
            write_users_file(tmp_path / "open", b"content")
    finally:
        os.umask(before)
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    assert modes == {"plain": 0o640, "while": 0o640, "open": 0o644}
    assert (tmp_path / "while").read_bytes() == b"content"


@pytest.mark.parametrize(("access", "mode"), [(0o755, 0o644), (0o750, 0o640), (0o700, 0o600)])
def test_a_cache_may_be_read_by_those_who_may_enter_its_directory(access: int, mode: int, tmp_path: Path) -> None:
    tmp_path.chmod(access)
    write_cache(tmp_path / "cache", b"content")
    assert (tmp_path / "cache").read_bytes() == b"content"
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may give a directory to another user")
def test_a_cache_is_not_written_into_a_directory_of_another_user(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, -1)
    with pytest.raises(PermissionError, match="belongs to a different user") as caught:
        write_cache(tmp_path / "cache", b"content")
    assert (caught.value.errno, caught.value.filename) == (errno.EPERM, str(tmp_path / "cache"))
    assert os.listdir(tmp_path) == []


def test_only_temporary_files_of_ended_processes_are_cleared(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    random = "0123456789abcdef"
    ours = {f".file.{ended.pid}.tmp", f".file.{ended.pid}.{random}.tmp"}
    others = {f".file.{os.getpid()}.tmp", f".file.{os.getpid()}.{random}.tmp", f"file.{ended.pid}.tmp", ".file.0.tmp"}
    for name in ours | others:
        (tmp_path / name).write_text("")
    (tmp_path / f".directory.{ended.pid}.tmp").mkdir()
    (tmp_path / f".link.{ended.pid}.tmp").symlink_to(f".directory.{ended.pid}.tmp")
    ours.add(f".link.{ended.pid}.tmp")
    before = set(os.listdir(tmp_path))
    clear_temporaries(tmp_path)
    assert before - set(os.listdir(tmp_path)) == ours


def test_a_process_exists_until_it_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert process_exists(process.pid) is True
        with unprivileged():
            assert process_exists(process.pid) is True
        process.communicate(b"\n")
    assert process_exists(process.pid) is False
    assert [process_exists(each) for each in (1, 0, -1, 2**70)] == [True, False, False, True]


def test_a_symbolic_link_is_replaced_and_its_target_is_not(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("mine")
    (tmp_path / "link").symlink_to("outside")
    write_atomic(tmp_path / "link", b"new")
    assert (tmp_path / "outside").read_text() == "mine"
    assert (tmp_path / "link").read_bytes() == b"new"
    assert not (tmp_path / "link").is_symlink()


def test_a_symbolic_link_at_the_path_of_the_temporary_file_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "outside").write_text("mine")
    monkeypatch.setattr(os, "urandom", bytes)  # so that the name can be foreseen
    (tmp_path / f".file.{os.getpid()}.{'00' * 8}.tmp").symlink_to("outside")
    with pytest.raises(FileExistsError):
        write_atomic(tmp_path / "file", b"new")
    assert (tmp_path / "outside").read_text() == "mine"


def test_the_name_of_the_temporary_file_cannot_be_foreseen(tmp_path: Path) -> None:
    names = set()
    for _ in range(3):
        with replacing(tmp_path / "file", b"new"):
            names |= set(os.listdir(tmp_path)) - {"file"}
    assert len(names) == 3


@pytest.mark.parametrize("step", ["fsync", "rename"])
@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_the_old_file_is_kept_if_a_step_fails(
    step: str, failure: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def fails(*_: object, **__: object) -> None:
        raise failure

    with monkeypatch.context() as patched:
        if step == "fsync":
            patched.setattr(os, "fsync", fails)
        else:
            patched.setattr(os, "replace", fails)
        with pytest.raises(type(failure)):
            write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_the_old_file_is_kept_if_the_disk_is_full(tmp_path: Path) -> None:
    """Simulate a full disk by a limit on the size of files: the kernel refuses in the middle of the write."""
    path = tmp_path / "file"
    write_atomic(path, b"old")
    program = (
        "import pathlib, resource, signal, sys\n"
        "from reconciler.fs.atomic_write import write_atomic\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    write_atomic(pathlib.Path(sys.argv[1]), bytes(1_000_000))\n"
        "except OSError as error:\n"
        "    print(error.errno)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(atomic_write.__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", program, str(path)], env=env, capture_output=True, check=True)
    assert int(done.stdout) == errno.EFBIG
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_reader_sees_the_old_or_the_new_whenever_the_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    program = (
        "import pathlib, sys\n"
        "from reconciler.fs.atomic_write import write_atomic\n"
        "print(flush=True)\n"
        "while True:\n"
        "    for byte in b'ab':\n"
        "        write_atomic(pathlib.Path(sys.argv[1]), bytes([byte]) * 50_000)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(atomic_write.__file__).parents[2])}
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", program, str(path)], env=env, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            for _ in range(200):
                if path.exists():
                    assert path.read_bytes() in {b"a" * 50_000, b"b" * 50_000}
            writer.send_signal(signal.SIGKILL)
        if path.exists():
            assert path.read_bytes() in {b"a" * 50_000, b"b" * 50_000}
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_directory_without_write_permission_is_an_error() -> None:
    with reachable_directory() as directory:
        write_atomic(directory / "file", b"old")
        directory.chmod(0o555)
        with unprivileged(), pytest.raises(PermissionError):
            write_atomic(directory / "file", b"new")
        directory.chmod(0o755)
        assert (directory / "file").read_bytes() == b"old"


def test_an_error_names_the_file_and_not_the_temporary_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        write_atomic(tmp_path / "missing/file", b"")
    assert caught.value.filename == str(tmp_path / "missing/file")


def test_only_directories_are_synced(tmp_path: Path) -> None:
    before = os.listdir("/dev/fd")
    sync_directory(tmp_path)
    sync_filesystem(tmp_path)
    assert os.listdir("/dev/fd") == before
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        sync_directory(tmp_path / "file")


def test_a_failed_flush_names_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="Input/output") as caught:
        sync_directory(tmp_path)
    assert (caught.value.errno, caught.value.filename) == (errno.EIO, str(tmp_path))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has syncfs")
def test_a_failed_flush_of_a_file_system_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def __init__(self, _: None, *, use_errno: bool = False) -> None:
            self.number = errno.EIO if use_errno else 0

        def syncfs(self, descriptor: int) -> int:
            assert os.fstat(descriptor).st_ino == tmp_path.stat().st_ino
            ctypes.set_errno(self.number)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", Failing)
    before = os.listdir("/dev/fd")
    for flush in (sync_filesystem, lambda place: begin_sync(place).result()):
        with pytest.raises(OSError, match="Input/output") as caught:
            flush(tmp_path)
        assert (caught.value.errno, caught.value.filename) == (errno.EIO, str(tmp_path))
    assert os.listdir("/dev/fd") == before
