"""Reads a little of a zip archive that anybody may have written: bounded in bytes read and in bytes unpacked."""

import errno
import io
import os
import zipfile
import zlib
from collections.abc import Callable
from typing import TypeVar

from reconciler.fs.read import open_regular

_MOST_READ_BYTES = 2 * 1024 * 1024  # the list of members, some 40,000 of them, and one small member
_Result = TypeVar("_Result")


def zip_names(path: str) -> list[str]:
    """Return the names of the members of the archive at `path`; raises OSError if it cannot be read."""
    return _read(path, zipfile.ZipFile.namelist)


def zip_member(path: str, name: str, limit: int) -> bytes:
    """Return at most `limit` bytes of a member; raises KeyError if there is none, or OSError if it cannot be read."""

    def read(archive: zipfile.ZipFile) -> bytes:
        # The other methods of compression cannot be unpacked in bounded steps.
        if archive.getinfo(name).compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise OSError(errno.EINVAL, "its compression is not supported")
        with archive.open(name) as member:
            return member.read(limit)

    return _read(path, read)


def _read(path: str, what: Callable[[zipfile.ZipFile], _Result]) -> _Result:
    try:
        with io.FileIO(open_regular(path, follow=True)) as file, zipfile.ZipFile(_Bounded(file)) as archive:
            return what(archive)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, ValueError, EOFError) as error:
        raise OSError(errno.EINVAL, str(error) or "it is incomplete") from error


class _Bounded(io.RawIOBase):
    """A file of which at most 2 MiB can be read in all; `zipfile` would read a list of members of any length."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._left = _MOST_READ_BYTES

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = self._left + 1 if size is None or size < 0 else size
        data = self._file.read(min(wanted, self._left + 1))
        if len(data) > self._left:
            raise OSError(errno.EFBIG, "it has too many members")
        self._left -= len(data)
        return data
