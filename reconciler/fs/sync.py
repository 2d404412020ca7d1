"""Flushes a generation to disk before it is published: without it, a power cut after exit 0 loses files."""

import os
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path


def begin_sync(path: Path) -> "Future[None]":
    """Flush as `sync_filesystem` does, in a thread, while what was built is looked at: the last flush has less to do.

    The result must be asked for: the kernel tells a failed write to one flush, and not again to the next.
    """
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sync")
    begun = pool.submit(sync_filesystem, path)
    pool.shutdown(wait=False)
    return begun


def sync_filesystem(path: Path) -> None:
    """Write everything of the file system that holds `path` to disk; one call is cheaper than an fsync a file.

    Linux has syncfs(2), which also reports write errors; elsewhere sync(2) does it for all file systems.
    Raises OSError.
    """
    if sys.platform != "linux":
        os.sync()
        return
    import ctypes  # 5 ms, which pass beside other work

    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))
    finally:
        os.close(descriptor)
