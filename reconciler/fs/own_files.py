"""The door to envsync's own files, which are below `.envsync` in a root: no symbolic link below the root is followed.

Each directory on the way is opened in the one above it. So a link that a commit put there is never followed, at
whatever moment it appears. Only regular files of at most a given size are read, and nothing is waited for. Imports only
modules that load fast.
"""

from __future__ import annotations

import os

from reconciler.fs.read import open_regular, read_descriptor, require_regular

OWN_DIRECTORY = ".envsync"
LIMIT_BYTES = 256 * 1024 * 1024  # a cache of a million hashes has 80 MB
_OWN = f"/{OWN_DIRECTORY}/"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_SAFELY = os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW


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
        return read_descriptor(open_regular(name, directory=parent), path, limit=limit)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        os.close(parent)


def open_own(path: str, flags: int, mode: int = 0o644) -> int:
    """Return a descriptor of one of envsync's own files, opened with `flags` and without waiting.

    A file that is made gets `mode` and the umask. Raises OSError as `read_own` does.
    """
    parent, name = open_parent(path)
    try:
        descriptor = require_regular(os.open(name, flags | _SAFELY, mode, dir_fd=parent), path)
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
