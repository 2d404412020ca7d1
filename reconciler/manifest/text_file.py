"""Reads a text file that somebody else wrote: regular, at most 1 MiB, in a known encoding."""

import codecs
import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from reconciler.manifest.refusal import RefusedError

LARGEST = 1024 * 1024  # bytes

# UTF-32's first bytes start with UTF-16's: the longer ones come first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class UnreadableFileError(Exception):
    """A file could not be read as text; `line` and `column` (from 1) where a byte is at fault."""

    def __init__(self, message: str, *, hint: str = "", line: int = 0, column: int = 0, missing: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.line = line
        self.column = column
        self.missing = missing

    def refused(self, name: str) -> RefusedError:
        """Return it as what is wrong with the mention of the file as `name`."""
        where = f"{name}:{self.line}:{self.column}" if self.line else name
        return RefusedError(f"{where}: {self.message}", hint=self.hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    """A file's text without byte order mark, and the SHA-256 of its bytes, in hexadecimal."""

    text: str
    sha256: str


def read_text_file(path: Path, *, any_unicode: bool = False) -> TextFile:
    """Return the file's text: UTF-8, or with `any_unicode` whatever its byte order mark says.

    Raises UnreadableFileError.
    """
    return decoded(file_content(path), any_unicode=any_unicode)


def decoded(content: bytes, *, any_unicode: bool = False) -> TextFile:
    """Return a file's bytes as text, as `read_text_file` does; raises UnreadableFileError."""
    encoding, rest = "utf-8", content
    for mark, name in _MARKS:
        if content.startswith(mark) and (any_unicode or name == "utf-8"):
            encoding, rest = name, content[len(mark) :]
            break
    try:
        text = rest.decode(encoding)
    except UnicodeDecodeError as error:
        before = rest[: error.start].decode(encoding, "replace")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        hint = "save it in UTF-8"
        raise UnreadableFileError(f"not {encoding.upper()}", hint=hint, line=line, column=column) from error
    return TextFile(text=text, sha256=hashlib.sha256(content).hexdigest())


def file_content(path: Path) -> bytes:
    """Return the bytes of a regular file of at most 1 MiB; raises UnreadableFileError."""
    try:
        # O_NONBLOCK: a named pipe that nobody writes to must not be waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(error) from error
    except ValueError as error:  # a NUL in the name
        raise UnreadableFileError("no such file", missing=True) from error
    try:
        kind = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(kind):
            raise UnreadableFileError("a directory, not a file")
        if not stat.S_ISREG(kind):
            raise UnreadableFileError("not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise _unreadable(error) from error
    finally:
        os.close(descriptor)
    return limited(content)


def limited(content: bytes) -> bytes:
    """Return what was read, or raise UnreadableFileError where it is more than 1 MiB."""
    if len(content) > LARGEST:
        raise UnreadableFileError("larger than 1 MiB")
    return content


def _unreadable(error: OSError) -> UnreadableFileError:
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR | errno.ENAMETOOLONG:
            return UnreadableFileError("no such file", missing=True)
        case errno.EACCES | errno.EPERM:
            return UnreadableFileError("permission denied")
        case errno.ELOOP:
            return UnreadableFileError("too many symbolic links")
        case _:
            return UnreadableFileError((error.strerror or "unreadable").lower())
