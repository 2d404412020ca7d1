"""Reading any file is bounded, never waits, and fails with the same messages everywhere."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.fs.read import open_regular, points_outside, read_inside, read_regular, reason
from tests.unprivileged import reachable_directory, unprivileged


def fifo(path: Path) -> None:
    os.mkfifo(path)


def large(path: Path) -> None:
    path.write_bytes(b"x" * (2 * 1024**2 + 1))


def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def link_to_nothing(path: Path) -> None:
    path.symlink_to("nowhere")


REFUSED: dict[str, tuple[Callable[[Path], None], int, str]] = {
    "a missing file": (lambda _: None, errno.ENOENT, "no such file"),
    "a directory": (Path.mkdir, errno.EISDIR, "a directory, not a file"),
    "a named pipe": (fifo, errno.EINVAL, "not a regular file"),
    "a file over the limit": (large, errno.EFBIG, "larger than 2 mib"),
    "a link to itself": (link_to_itself, errno.ELOOP, "too many symbolic links"),
    "a link to nothing": (link_to_nothing, errno.ENOENT, "no such file"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_anything_but_a_regular_file_below_the_limit_is_refused(what: str, tmp_path: Path) -> None:
    make, number, message = REFUSED[what]
    make(tmp_path / "file")
    with pytest.raises(OSError, match=r".") as caught:
        read_regular(tmp_path / "file", limit=2 * 1024**2, follow=True)
    assert (caught.value.errno, reason(caught.value).lower()) == (number, message)
    assert caught.value.filename == str(tmp_path / "file")


def test_a_link_out_of_the_environment_is_not_a_loop_of_links(tmp_path: Path) -> None:
    (tmp_path / "top").mkdir()
    (tmp_path / "top/file").symlink_to("../other")
    with pytest.raises(OSError, match=r".") as caught:
        read_inside(str(tmp_path / "top/file"), str(tmp_path / "top"))
    assert caught.value.errno == errno.ELOOP
    assert reason(caught.value) == "a symbolic link to a file outside the environment"


def test_an_unreadable_file_is_refused() -> None:
    with reachable_directory() as directory:
        (directory / "file").write_bytes(b"content")
        (directory / "file").chmod(0)
        with unprivileged(), pytest.raises(OSError, match=r".") as caught:
            read_regular(directory / "file")
    assert reason(caught.value) == "permission denied"


@pytest.mark.parametrize("follow", [True, False])
def test_a_name_with_a_nul_character_names_no_file(follow: bool, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "a\0b", follow=follow)


def test_a_link_is_followed_only_on_request(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link", follow=True) == b"content"
    with pytest.raises(OSError, match=r".") as caught:
        read_regular(tmp_path / "link")
    assert caught.value.errno == errno.ELOOP


def test_a_link_inside_a_directory_is_followed_if_its_target_is_inside(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    (top / "file").write_bytes(b"inside")
    (tmp_path / "secret").write_bytes(b"outside")
    (top / "in").symlink_to("file")
    (top / "out").symlink_to("../secret")
    (top / "gone").symlink_to("missing")
    assert read_inside(str(top / "in"), str(top)) == b"inside"
    assert not points_outside(str(top / "in"), str(top))
    assert points_outside(str(top / "out"), str(top))
    assert points_outside(str(top / "gone"), str(top))
    with pytest.raises(OSError, match="outside the environment") as caught:
        read_inside(str(top / "out"), str(top))
    assert (caught.value.errno, caught.value.filename) == (errno.ELOOP, str(top / "out"))
    (top / "directory").symlink_to("..")
    with pytest.raises(FileNotFoundError):
        read_inside(str(top / "directory" / "none"), str(top))
    for name in ("file", "in"):
        with pytest.raises(OSError, match="larger than") as caught:
            read_inside(str(top / name), str(top), limit=5)
        assert caught.value.errno == errno.EFBIG


@pytest.mark.parametrize("size", [0, 1, 1024**2 - 1, 1024**2, 1024**2 + 1, 2 * 1024**2])
def test_every_byte_up_to_the_limit_is_read(size: int, tmp_path: Path) -> None:
    content = os.urandom(size)
    (tmp_path / "file").write_bytes(content)
    assert read_regular(tmp_path / "file", limit=2 * 1024**2) == content


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_a_file_without_a_size_is_read_to_its_end() -> None:
    assert b"Name:" in read_regular("/proc/self/status")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_a_file_that_grows_over_the_limit_is_refused() -> None:
    """Such files have no size before they are read."""
    content = read_regular("/proc/self/environ")
    assert read_regular("/proc/self/environ", limit=len(content)) == content
    with pytest.raises(OSError, match="larger than 0 MiB") as caught:
        read_regular("/proc/self/environ", limit=len(content) - 1)
    assert caught.value.errno == errno.EFBIG


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_an_error_while_reading_names_the_file() -> None:
    with pytest.raises(OSError, match=r".") as caught:
        read_regular("/proc/self/mem")
    assert (caught.value.errno, caught.value.filename) == (errno.EIO, "/proc/self/mem")


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    before = os.listdir("/dev/fd")
    read_regular(tmp_path / "file")
    for refused in (tmp_path, tmp_path / "file"):
        with pytest.raises(OSError, match=r"."):
            read_regular(refused, limit=1)
    assert os.listdir("/dev/fd") == before


def test_a_descriptor_is_not_inherited(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    descriptor = open_regular(tmp_path / "file")
    try:
        command = [sys.executable, "-c", f"import os; os.fstat({descriptor})"]
        done = subprocess.run(command, close_fds=False, check=False, capture_output=True)
        assert done.returncode != 0
    finally:
        os.close(descriptor)


def test_a_file_of_the_user_may_be_a_link_and_is_refused_otherwise_as_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(str(tmp_path / "link"), follow=True) == b"content"
    monkeypatch.chdir(tmp_path)
    assert read_regular("link", limit=7, follow=True) == b"content"
    os.mkfifo("pipe")
    (tmp_path / "directory").mkdir()
    (tmp_path / "large").write_bytes(b"contents")
    (tmp_path / "loop").symlink_to("loop")
    for name, number in (
        ("pipe", errno.EINVAL),
        ("directory", errno.EISDIR),
        ("large", errno.EFBIG),
        ("loop", errno.ELOOP),
        ("nowhere", errno.ENOENT),
        ("/dev/null", errno.EINVAL),
    ):
        with pytest.raises(OSError, match=r".") as caught:
            read_regular(name, limit=7, follow=True)
        assert (caught.value.errno, caught.value.filename) == (number, name)
