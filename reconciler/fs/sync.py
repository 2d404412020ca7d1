"""Flushes files to disk: without it, a power cut after exit 0 loses what was written."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future


def sync_directory(path: Path) -> None:
    """Flush a directory's entries to disk, so that a rename in it survives a power cut; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with naming(path):
            os.fsync(descriptor)
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

    Linux has syncfs(2), which also reports write errors; elsewhere sync(2) flushes all file systems. Raises OSError.
    """
    if sys.platform != "linux":
        os.sync()
        return
    import ctypes  # takes 5 ms to import, in parallel with other work

    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))
    finally:
        os.close(descriptor)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Add the path to an error about a descriptor, which has no name."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
