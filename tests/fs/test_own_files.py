"""Envsync's own files are reached through no link below `.envsync`; nothing is waited for, and sizes are bounded."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.fs.own_files import (
    list_own,
    open_own,
    open_parent,
    read_own,
    split_own,
    touch_own,
    unlink_own,
)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Return the directory `cache` of a root, with a file `file`."""
    made = tmp_path / "root/.envsync/cache"
    made.mkdir(parents=True)
    (made / "file").write_bytes(b"content")
    return made


@pytest.fixture(autouse=True)
def _no_descriptor_stays_open() -> Iterator[None]:
    before = set(os.listdir("/proc/self/fd"))
    yield
    assert set(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/root/.envsync/cache/inodes", ("/root", "cache/inodes")),
        ("/root/.envsync/root.json", ("/root", "root.json")),
        ("/a/.envsync/b/.envsync/c", ("/a/.envsync/b", "c")),  # a root below a root
        ("/.envsync/x", ("", "x")),
        ("/root/envsync/x", ("", "")),
        ("/root/.envsync", ("", "")),
        ("/root/.envsyncs/x", ("", "")),
        (".envsync/x", ("", "")),
    ],
)
def test_a_path_has_a_root_and_a_place_below_it(path: str, parts: tuple[str, str]) -> None:
    assert split_own(path) == parts


def test_the_parent_of_any_path_is_opened(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(cache)
    (cache.parent / "link").symlink_to("cache")
    for path, directory, name in (
        (str(cache / "file"), cache, "file"),
        (str(cache.parent / "root.json"), cache.parent, "root.json"),
        (f"{cache.parent}//cache//file", cache, "file"),
        ("file", cache, "file"),
        ("../x", cache.parent, "x"),
        ("/x", Path("/"), "x"),
        (str(cache.parent.parent / "x"), cache.parent.parent, "x"),
    ):
        descriptor, found = open_parent(path)
        assert os.path.samestat(os.fstat(descriptor), directory.stat()), path
        assert found == name
        assert not os.get_inheritable(descriptor)
        os.close(descriptor)


# What each function does with a path, if it may


def make(path: str) -> None:
    os.close(open_own(path, os.O_WRONLY | os.O_CREAT))


EVERY: dict[str, Callable[[str], object]] = {
    "read_own": read_own,
    "open_own": make,
    "touch_own": touch_own,
    "unlink_own": unlink_own,
    "list_own": lambda path: list_own(os.path.dirname(path)),  # noqa: PTH120
    "open_parent": open_parent,
}


@pytest.mark.parametrize("how", EVERY)
@pytest.mark.parametrize("link", [".envsync", ".envsync/cache"])
def test_no_link_below_a_root_is_followed(how: str, link: str, cache: Path, tmp_path: Path) -> None:
    place = tmp_path / "root" / link
    place.rename(tmp_path / "outside")
    place.symlink_to(tmp_path / "outside")
    inside = next((tmp_path / "outside").rglob("file"))
    for name in ("file", "new"):
        with pytest.raises(OSError, match=r"Not a directory|symbolic links") as caught:
            EVERY[how](str(cache / name))
        assert str(caught.value.filename) in {str(cache / name), f"{cache}/."}
        assert caught.value.errno in {errno.ENOTDIR, errno.ELOOP}
    assert inside.read_bytes() == b"content"
    assert os.listdir(inside.parent) == ["file"]


@pytest.mark.parametrize("how", EVERY)
def test_a_root_may_be_reached_through_a_link(how: str, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("root")
    found = EVERY[how](str(tmp_path / "link/.envsync/cache/file"))
    assert found in (None, b"content", ["file"]) or how == "open_parent"
    if isinstance(found, tuple):
        os.close(found[0])


@pytest.mark.parametrize("how", ["read_own", "open_own", "touch_own", "list_own", "open_parent"])
def test_a_missing_directory_is_an_error_with_the_path(how: str, cache: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        EVERY[how](str(cache / "nowhere/file"))
    assert str(caught.value.filename) in {str(cache / "nowhere/file"), f"{cache}/nowhere/."}


def test_files_outside_of_roots_are_reached_through_links(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    touch_own(str(tmp_path / "link/file"))
    assert read_own(str(tmp_path / "link/file")) == b""
    assert list_own(str(tmp_path / "link")) == ["file"]


# Reading


def large(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)  # sparse: it would never fit into memory


REFUSED: dict[str, tuple[Callable[[Path], Any], int, str]] = {
    "a missing file": (lambda _: None, errno.ENOENT, "No such file or directory"),
    "a directory": (Path.mkdir, errno.EISDIR, "a directory, not a file"),
    "a named pipe": (os.mkfifo, errno.EINVAL, "not a regular file"),
    "a sparse giant": (large, errno.EFBIG, "larger than 256 MiB"),
    "a link": (lambda path: path.symlink_to("file"), errno.ELOOP, "Too many levels of symbolic links"),
    "a link to nothing": (lambda path: path.symlink_to("nowhere"), errno.ELOOP, "Too many levels of symbolic links"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_only_a_regular_file_of_a_limited_size_is_read(what: str, cache: Path) -> None:
    prepare, number, message = REFUSED[what]
    prepare(cache / "wrong")
    with pytest.raises(OSError, match=r".") as caught:
        read_own(str(cache / "wrong"))
    assert (caught.value.errno, caught.value.strerror) == (number, message)
    assert caught.value.filename == str(cache / "wrong")


def test_a_file_has_at_most_the_limit(cache: Path) -> None:
    assert read_own(str(cache / "file"), limit=7) == b"content"
    with pytest.raises(OSError, match="larger than 0 MiB") as caught:
        read_own(str(cache / "file"), limit=6)
    assert caught.value.errno == errno.EFBIG
    (cache / "file").write_bytes(b"")
    assert read_own(str(cache / "file"), limit=0) == b""
    content = os.urandom(100_000)
    (cache / "file").write_bytes(content)
    assert read_own(str(cache / "file")) == content


def test_a_file_that_grows_while_it_is_read_is_read_to_its_end_or_the_limit() -> None:
    """The files of procfs have the size 0 and some contents."""
    assert os.stat("/proc/self/status").st_size == 0  # noqa: PTH116
    assert read_own("/proc/self/status").startswith(b"Name:")
    with pytest.raises(OSError, match="larger than"):
        read_own("/proc/self/status", limit=20)


def test_what_is_read_in_parts_is_whole(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = os.read
    monkeypatch.setattr(os, "read", lambda descriptor, size: read(descriptor, min(size, 2)))
    assert read_own(str(cache / "file"), limit=7) == b"content"
    with pytest.raises(OSError, match="larger than"):
        read_own(str(cache / "file"), limit=6)


def test_an_error_while_reading_has_the_path(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "read", fails)
    with pytest.raises(OSError, match="Input/output error") as caught:
        read_own(str(cache / "file"))
    assert caught.value.filename == str(cache / "file")


# Opening and making


def test_a_file_is_opened_with_the_flags_and_is_not_emptied(cache: Path) -> None:
    descriptor = open_own(str(cache / "file"), os.O_RDWR | os.O_APPEND | os.O_CREAT)
    try:
        assert os.read(descriptor, 100) == b"content"
        os.write(descriptor, b"!")
        assert not os.get_inheritable(descriptor)
    finally:
        os.close(descriptor)
    assert (cache / "file").read_bytes() == b"content!"
    with pytest.raises(FileExistsError):
        open_own(str(cache / "file"), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    with pytest.raises(FileNotFoundError) as caught:
        open_own(str(cache / "new"), os.O_RDONLY)
    assert caught.value.filename == str(cache / "new")


def test_a_new_file_has_the_mode_and_the_umask(cache: Path) -> None:
    before = os.umask(0o027)
    try:
        os.close(open_own(str(cache / "one"), os.O_WRONLY | os.O_CREAT))
        os.close(open_own(str(cache / "two"), os.O_WRONLY | os.O_CREAT, 0o600))
        touch_own(str(cache / "three"))
    finally:
        os.umask(before)
    assert [(cache / name).stat().st_mode & 0o777 for name in ("one", "two", "three")] == [0o640, 0o600, 0o640]


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_RDWR])
@pytest.mark.parametrize("what", ["a directory", "a named pipe", "a link", "a link to nothing"])
def test_only_a_regular_file_is_opened(what: str, flags: int, cache: Path) -> None:
    REFUSED[what][0](cache / "wrong")
    with pytest.raises(OSError, match=r".") as caught:
        open_own(str(cache / "wrong"), flags)
    assert caught.value.filename == str(cache / "wrong")
    expected = {
        "a directory": {errno.EISDIR},
        "a named pipe": {errno.EINVAL, errno.ENXIO},
        "a link": {errno.ELOOP},
        "a link to nothing": {errno.ELOOP},
    }
    assert caught.value.errno in expected[what]
    assert set(os.listdir(cache)) == {"file", "wrong"}


def test_a_file_that_exists_is_not_changed_by_touching_it(cache: Path) -> None:
    touch_own(str(cache / "file"))
    assert (cache / "file").read_bytes() == b"content"


# Deleting and listing


def test_a_file_is_deleted_and_may_be_missing(cache: Path) -> None:
    for _ in range(2):
        unlink_own(str(cache / "file"))
        assert os.listdir(cache) == []
    unlink_own(str(cache / "nowhere/file"))
    unlink_own(str(cache.parent.parent / "elsewhere/.envsync/cache/file"))


def test_a_link_is_deleted_and_not_its_target(cache: Path) -> None:
    (cache / "link").symlink_to("file")
    unlink_own(str(cache / "link"))
    assert os.listdir(cache) == ["file"]


def test_a_directory_is_not_deleted(cache: Path) -> None:
    with pytest.raises(OSError, match=r"Is a directory|not permitted") as caught:
        unlink_own(str(cache))
    assert caught.value.filename == str(cache)


def test_the_names_in_a_directory_are_listed(cache: Path) -> None:
    assert list_own(str(cache)) == ["file"]
    assert list_own(str(cache.parent)) == ["cache"]
    with pytest.raises(NotADirectoryError):
        list_own(str(cache / "file"))


def test_an_error_while_listing_has_the_path(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listdir = os.listdir

    def fails(path: Any = ".") -> list[str]:
        if isinstance(path, int):
            raise OSError(errno.EIO, "Input/output error")
        return listdir(path)

    monkeypatch.setattr(os, "listdir", fails)
    with pytest.raises(OSError, match="Input/output error") as caught:
        list_own(str(cache))
    assert caught.value.filename == str(cache)
