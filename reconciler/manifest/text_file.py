"""Reads a text file that a user wrote: a regular file, at most 1 MiB, in a known encoding."""

import codecs
import errno
import hashlib
from dataclasses import dataclass
from pathlib import Path

from reconciler.fs.os_error_hint import os_error_hint
from reconciler.fs.read import read_regular, reason
from reconciler.manifest.invalid_text import InvalidTextError

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
    """A file could not be read as text; `line` and `column` (from 1) are the place of an invalid byte, or 0."""

    def __init__(
        self,
        message: str,
        *,
        hint: str,
        line: int = 0,
        column: int = 0,
        missing: bool = False,
        is_directory: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.line = line
        self.column = column
        self.missing = missing
        self.is_directory = is_directory

    def invalid_text(self, name: str) -> InvalidTextError:
        """Return the error for the text in a manifest or requirements file that names this file as `name`."""
        where = f"{name}:{self.line}:{self.column}" if self.line else name
        return InvalidTextError(f"{where}: {self.message}", hint=self.hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    """A file's text without its byte order mark, and the SHA-256 of its bytes in hexadecimal.

    `quotable` says whether errors may show its lines.
    """

    text: str
    sha256: str
    quotable: bool = True


def decode_text(content: bytes, *, any_unicode: bool) -> TextFile:
    """Return a file's bytes as text; raises UnreadableFileError.

    The encoding is UTF-8, or with `any_unicode` the one of the byte order mark.
    """
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


def read_file(path: Path, *, limit: int = LARGEST) -> bytes:
    """Return the bytes of a regular file of at most `limit` bytes (1 MiB); raises UnreadableFileError."""
    try:
        return read_regular(path, limit=limit, follow=True)
    except OSError as error:
        raise unreadable(error) from error


def unreadable(error: OSError) -> UnreadableFileError:
    """Return the error of a file that could not be read."""
    missing = error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG}
    is_directory = error.errno == errno.EISDIR
    return UnreadableFileError(
        reason(error), hint=os_error_hint(error) or "", missing=missing, is_directory=is_directory
    )


def limit_size(content: bytes) -> bytes:
    """Return `content`, or raise UnreadableFileError if it is larger than 1 MiB."""
    if len(content) > LARGEST:
        raise UnreadableFileError("larger than 1 MiB", hint="")
    return content
