"""A small file is replaced completely or not at all."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.fs import atomic_write
from reconciler.fs.atomic_write import write_atomic
from reconciler.fs.sync import sync_directory
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


def test_a_symbolic_link_is_replaced_and_its_target_is_not(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("mine")
    (tmp_path / "link").symlink_to("outside")
    write_atomic(tmp_path / "link", b"new")
    assert (tmp_path / "outside").read_text() == "mine"
    assert (tmp_path / "link").read_bytes() == b"new"
    assert not (tmp_path / "link").is_symlink()


def test_a_symbolic_link_at_the_path_of_the_temporary_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("mine")
    (tmp_path / f".file.{os.getpid()}.tmp").symlink_to("outside")
    with pytest.raises(OSError, match="symbolic links"):
        write_atomic(tmp_path / "file", b"new")
    assert (tmp_path / "outside").read_text() == "mine"


@pytest.mark.parametrize("step", ["fsync", "rename"])
@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_the_old_file_is_kept_if_a_step_fails(
    step: str, failure: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def fails(*_: object) -> None:
        raise failure

    with monkeypatch.context() as patched:
        if step == "fsync":
            patched.setattr(os, "fsync", fails)
        else:
            patched.setattr(Path, "replace", fails)
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
    sync_directory(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        sync_directory(tmp_path / "file")
