"""Flushes files to disk: without it, a power cut after exit 0 loses what was written."""

import errno
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future


# What a file system answers that cannot flush a file or a directory, such as some in user space and on networks.
_CANNOT_FLUSH = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
_CANNOT_SYNC = _CANNOT_FLUSH | {errno.EPERM}  # the filter of a container
_WHOLE_VOLUME, _AND_WAIT = 1, 2  # SYNC_VOLUME_FULLSYNC and SYNC_VOLUME_WAIT of macOS


def flush_descriptor(descriptor: int) -> bool:
    """Flush an open file or directory to disk; return False if its file system cannot. Raises OSError.

    Then a power cut may lose what was written. On macOS, fsync(2) leaves the data in the cache of the drive, and
    F_FULLFSYNC does not.
    """
    if sys.platform == "darwin":
        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        except OSError:  # a network volume may have only fsync
            pass
        else:
            return True
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_FLUSH:
            raise
        return False
    return True


def sync_directory(path: Path) -> None:
    """Flush a directory's entries to disk, so that a rename in it survives a power cut; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with naming(path):
            flush_descriptor(descriptor)
    finally:
        os.close(descriptor)


def begin_sync(path: Path) -> "Future[None]":
    """Start `sync_filesystem` in a thread, so that the final flush has less to do.

    The caller must ask for the result: the kernel reports a failed write to one flush, and not again to the next.
    """
    from concurrent.futures import ThreadPoolExecutor  # slow to import, and only a build needs it

    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sync")
    begun = pool.submit(sync_filesystem, path)
    pool.shutdown(wait=False)
    return begun


def sync_filesystem(path: Path) -> None:
    """Write everything on the file system of `path` to disk; one call is cheaper than an fsync for each file.

    Linux has syncfs(2), which also reports write errors, and macOS sync_volume_np(3). Without them, sync(2) flushes all
    file systems. Raises OSError.
    """
    import ctypes  # takes 5 ms to import, in parallel with other work

    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin" and hasattr(libc, "sync_volume_np"):
        failed = libc.sync_volume_np(os.fsencode(path), _WHOLE_VOLUME | _AND_WAIT)
    elif sys.platform == "linux" and hasattr(libc, "syncfs"):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            failed = libc.syncfs(descriptor)
        finally:
            os.close(descriptor)
    else:
        os.sync()
        return
    if failed:
        number = ctypes.get_errno()
        if number not in _CANNOT_SYNC:
            raise OSError(number, os.strerror(number), str(path))
        os.sync()


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Add the path to an error about a descriptor, which has no name."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
