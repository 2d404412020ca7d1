"""The door to envsync's own files, which are below `.envsync` in a root: no symbolic link below the root is followed.

Each directory on the way is opened in the one above it. So a link that a commit put there is never followed, at
whatever moment it appears. Only regular files of at most a given size are read, and nothing is waited for. Imports only
modules that load fast.
"""

from __future__ import annotations

import errno
import os

OWN_DIRECTORY = ".envsync"
USER_FILE_BYTES = 64 * 1024 * 1024  # as `reconciler.manifest.input_files.LARGEST_LOCK`
LIMIT_BYTES = 256 * 1024 * 1024  # a cache of a million hashes has 80 MB
_OWN = f"/{OWN_DIRECTORY}/"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_SAFELY = os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW
_TYPE, _REGULAR, _DIRECTORY_TYPE = 0o170000, 0o100000, 0o040000  # S_IFMT, S_IFREG, S_IFDIR


def split_own(path: str) -> tuple[str, str]:
    """Return the root of one of envsync's own files and its place below `.envsync`; two empty texts for any other."""
    root, own, place = path.rpartition(_OWN)
    return (root, place) if own else ("", "")


def open_parent(path: str) -> tuple[int, str]:
    """Return a descriptor of the directory that a path is in, and the name in it. Raises OSError with the path.

    Below `.envsync` no directory on the way may be a symbolic link (ENOTDIR or ELOOP); elsewhere links are followed.
    """
    root, place = split_own(path)
    above, _, name = (place or path).rpartition("/")
    try:
        if not place:
            return os.open(above or ("/" if path.startswith("/") else "."), _DIRECTORY), name
        opened = os.open(f"{root}{_OWN[:-1]}", _DIRECTORY | os.O_NOFOLLOW)
        for part in filter(None, above.split("/")):
            try:
                inner = os.open(part, _DIRECTORY | os.O_NOFOLLOW, dir_fd=opened)
            finally:
                os.close(opened)
            opened = inner
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    return opened, name


def read_own(path: str, *, limit: int = LIMIT_BYTES) -> bytes:
    """Return the contents of one of envsync's own files, which has at most `limit` bytes.

    Raises OSError with the path: ELOOP or ENOTDIR for a symbolic link, EISDIR for a directory, EINVAL for anything else
    that is not a regular file, EFBIG for a file that is too large.
    """
    parent, name = open_parent(path)
    try:
        return _read(name, parent, limit)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        os.close(parent)


def read_user_file(path: str) -> bytes:
    """Return the contents of a file of the user, such as the manifest: links are followed, nothing is waited for.

    Raises OSError as `read_own` does.
    """
    try:
        return _read(path, None, USER_FILE_BYTES)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error


def open_own(path: str, flags: int, mode: int = 0o644) -> int:
    """Return a descriptor of one of envsync's own files, opened with `flags` and without waiting.

    A file that is made gets `mode` and the umask. Raises OSError as `read_own` does.
    """
    parent, name = open_parent(path)
    try:
        descriptor = os.open(name, flags | _SAFELY, mode, dir_fd=parent)
        kind = os.fstat(descriptor).st_mode & _TYPE
        if kind != _REGULAR:
            os.close(descriptor)
            raise _not_a_file(kind)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        os.close(parent)
    return descriptor


def touch_own(path: str) -> None:
    """Make one of envsync's own files, with nothing in it, unless it exists. Raises OSError as `read_own` does."""
    os.close(open_own(path, os.O_WRONLY | os.O_CREAT))


def unlink_own(path: str) -> None:
    """Delete one of envsync's own files if it exists. Raises OSError with the path."""
    try:
        parent, name = open_parent(path)
    except FileNotFoundError:
        return
    try:
        os.unlink(name, dir_fd=parent)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        os.close(parent)


def list_own(path: str) -> list[str]:
    """Return the names in one of envsync's own directories. Raises OSError with the path."""
    parent, _ = open_parent(f"{path}/.")
    try:
        return os.listdir(parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        os.close(parent)


def _read(name: str, parent: int | None, limit: int) -> bytes:
    flags = os.O_RDONLY | (_SAFELY & ~os.O_NOFOLLOW if parent is None else _SAFELY)
    descriptor = os.open(name, flags, dir_fd=parent)
    try:
        status = os.fstat(descriptor)
        kind = status.st_mode & _TYPE
        if kind != _REGULAR:
            raise _not_a_file(kind)
        chunks = []
        left = limit + 1  # the file may grow: read to its end, or one byte over the limit
        if status.st_size <= limit:
            while left and (chunk := os.read(descriptor, min(max(status.st_size, 4096) + 1, left))):
                chunks.append(chunk)
                left -= len(chunk)
        if status.st_size > limit or not left:
            raise OSError(errno.EFBIG, f"larger than {limit // 1024**2} MiB")
        return b"".join(chunks)
    finally:
        os.close(descriptor)


def _not_a_file(kind: int) -> OSError:
    if kind == _DIRECTORY_TYPE:
        return IsADirectoryError(errno.EISDIR, "a directory, not a file")
    return OSError(errno.EINVAL, "not a regular file")
