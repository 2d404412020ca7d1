"""Reads files that anybody may have written: regular files only, at most a given size, and never waiting.

`reason` puts an error into the same words for every caller. Imports only modules that load fast.
"""

from __future__ import annotations

import errno
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

LIMIT_BYTES = 32 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024
_REASONS = {
    errno.ENOENT: "no such file",
    errno.ENOTDIR: "no such file",
    errno.ENAMETOOLONG: "no such file",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ELOOP: "too many symbolic links",
}


def read_regular(path: str | Path, *, limit: int = LIMIT_BYTES, follow: bool = False) -> bytes:
    """Return the content of a regular file of at most `limit` bytes; a symbolic link is followed only with `follow`.

    Raises OSError: ELOOP for a symbolic link, EISDIR for a directory, EINVAL for anything else that is not a regular
    file, EFBIG for a file that is too large, ENOENT for a name with a NUL character.
    """
    return read_descriptor(open_regular(path, follow=follow), path, limit=limit)


def read_descriptor(descriptor: int, path: str | Path, *, limit: int) -> bytes:
    """Return the content of the open regular file `path`, at most `limit` bytes, and close it; raises OSError."""
    try:
        size = os.fstat(descriptor).st_size
        chunks = []  # a file of /proc has no size, and any file may grow: read to its end, or one byte over the limit
        left = limit + 1
        while size <= limit and (chunk := os.read(descriptor, min(_CHUNK_BYTES, left))):
            chunks.append(chunk)
            left -= len(chunk)
    except OSError as error:  # a descriptor has no name
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        os.close(descriptor)
    if size > limit or not left:
        raise OSError(errno.EFBIG, f"larger than {limit // 1024**2} MiB", str(path))
    return b"".join(chunks)


def open_regular(path: str | Path, *, follow: bool = False, directory: int | None = None) -> int:
    """Return a descriptor of a regular file, open for reading; raises OSError as `read_regular` does.

    With `directory`, a descriptor, a relative `path` starts there.
    """
    # O_NONBLOCK: opening a named pipe must not wait for a writer. O_NOCTTY: a terminal must not become ours.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    try:
        return require_regular(os.open(path, flags, dir_fd=directory), path)
    except ValueError as error:  # a NUL character in the name
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from error


def require_regular(descriptor: int, path: str | Path) -> int:
    """Return a descriptor if it is that of a regular file; otherwise close it, and raise OSError (EISDIR or EINVAL)."""
    kind = os.fstat(descriptor).st_mode
    if stat.S_ISREG(kind):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, "a directory, not a file", str(path))
    raise OSError(errno.EINVAL, "not a regular file", str(path))


def reason(error: OSError) -> str:
    """Return why a file could not be read, in a few plain words without its name."""
    number, text = error.errno or 0, error.strerror or "unreadable"
    if number in _REASONS and text == os.strerror(number):  # a function of this module may have said more
        return _REASONS[number]
    return text[:1].lower() + text[1:]


def read_inside(path: str, top: str, *, limit: int = LIMIT_BYTES) -> bytes:
    """Return the content of a regular file below `top` (both absolute); raises OSError as `read_regular` does.

    A symbolic link is followed only if its target is below `top`; otherwise ELOOP is raised.
    """
    try:
        return read_regular(path, limit=limit)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
    real, real_top = os.path.realpath(path), os.path.realpath(top)
    if not real.startswith(real_top + "/"):
        raise OSError(errno.ELOOP, "a symbolic link to a file outside the environment", path)
    return read_regular(real, limit=limit)


def points_outside(path: str, top: str) -> bool:
    """Return whether the target of the symbolic link `path` is outside `top` or does not exist."""
    real = os.path.realpath(path)
    return not real.startswith(os.path.realpath(top) + "/") or not os.path.lexists(real)
