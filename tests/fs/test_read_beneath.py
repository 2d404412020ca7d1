"""A file below a directory is read only if no part of its path is a link, and only if it is a regular file."""

import errno
import os
from pathlib import Path

import pytest

from reconciler.fs.read import LIMIT_BYTES
from reconciler.fs.read_beneath import read_beneath


def failure(path: Path, top: Path, *, limit: int = 100) -> int | None:
    """Return the number of the error that reading ends with."""
    with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is compared
        read_beneath(path, top, limit=limit)
    return caught.value.errno


def test_a_regular_file_is_read_up_to_the_limit(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "c.txt"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"one")
    assert read_beneath(file, tmp_path, limit=LIMIT_BYTES) == b"one"
    assert read_beneath(file, file.parent, limit=LIMIT_BYTES) == b"one"
    assert failure(file, tmp_path, limit=2) == errno.EFBIG
    assert failure(tmp_path / "a" / "none", tmp_path) == errno.ENOENT
    assert failure(file / "below", tmp_path) == errno.ENOTDIR
    assert failure(file.parent, tmp_path) == errno.EISDIR
    assert failure(tmp_path, tmp_path) == errno.EISDIR


def test_no_part_of_the_path_may_be_a_link(tmp_path: Path) -> None:
    top, outside = tmp_path / "top", tmp_path / "outside"
    (outside / "inner").mkdir(parents=True)
    (outside / "inner" / "file").write_bytes(b"secret")
    (top / "inner").mkdir(parents=True)
    (top / "link").symlink_to(outside)
    (top / "inner" / "file").symlink_to(outside / "inner" / "file")
    (tmp_path / "other").symlink_to(outside)
    for path in (top / "link" / "inner" / "file", top / "inner" / "file"):
        assert failure(path, top) in {errno.ELOOP, errno.ENOTDIR}
    assert failure(tmp_path / "other" / "inner" / "file", tmp_path / "other") in {errno.ELOOP, errno.ENOTDIR}


def test_what_is_not_a_regular_file_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    opened: list[object] = []
    monkeypatch.setattr("reconciler.fs.read_beneath.open_regular", lambda *given, **_: opened.append(given))
    assert failure(tmp_path / "pipe", tmp_path) == errno.EINVAL
    assert failure(Path("/dev/null"), Path("/dev")) == errno.EINVAL
    assert opened == []


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(b"one")
    before = len(os.listdir("/dev/fd"))
    read_beneath(tmp_path / "a" / "file", tmp_path, limit=LIMIT_BYTES)
    failure(tmp_path / "a" / "none", tmp_path)
    failure(tmp_path / "a" / "file" / "x", tmp_path)
    assert len(os.listdir("/dev/fd")) == before
