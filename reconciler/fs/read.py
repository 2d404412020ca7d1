"""Reads small files of an environment: bounded, regular files only, no symlink out of the environment followed."""

import errno
import os
import stat

LIMIT_BYTES = 32 * 1024 * 1024


def read_inside(path: str, top: str, *, limit: int = LIMIT_BYTES) -> bytes:
    """Return the content of a file below `top` (both absolute); raises OSError where there is none that may be read.

    A symlink is followed only while it stays inside `top`. ELOOP: it leads out; EFBIG: over `limit` bytes.
    """
    try:
        return read_regular(path, limit=limit)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
    real, real_top = os.path.realpath(path), os.path.realpath(top)
    if not real.startswith(real_top + "/"):
        raise OSError(errno.ELOOP, "a symbolic link that leads out of the environment", path)
    return read_regular(real, limit=limit)


def read_regular(path: str, *, limit: int = LIMIT_BYTES) -> bytes:
    """Return the content of a regular file; raises OSError (ELOOP for a symlink, EINVAL for what is no file)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, "a directory", path)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "no regular file", path)
        if status.st_size > limit:
            raise OSError(errno.EFBIG, f"over {limit // 1024 // 1024} MiB", path)
        content = os.read(descriptor, status.st_size + 1)
        while len(content) < status.st_size and (more := os.read(descriptor, status.st_size - len(content))):
            content += more
        return content
    finally:
        os.close(descriptor)


def leads_out(path: str, top: str) -> bool:
    """Return whether `path` is a symlink that ends outside `top`, or nowhere."""
    real = os.path.realpath(path)
    return not real.startswith(os.path.realpath(top) + "/") or not os.path.lexists(real)
