"""Waits for the operating system's lock of an open file (flock), but never without limit.

Every user who may read a file can lock it, and keep the lock for ever.
"""

from __future__ import annotations

import errno
import fcntl
import time

_PAUSE_SECONDS = 0.05
# What file systems answer that have no such locks. NFS makes a lock of a range of bytes of it, for which the descriptor
# must be open for writing (EBADF).
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF})


def has_no_locks(error: OSError) -> bool:
    """Return whether an error of a lock means that the file system has none, or none for this descriptor."""
    return error.errno in _NO_LOCKS


def lock_file(descriptor: int, operation: int, seconds: float) -> bool:
    """Lock an open file with `operation` (LOCK_SH or LOCK_EX), and return whether that succeeded within `seconds`.

    Raises OSError if the file system has no such locks.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(_PAUSE_SECONDS)
        else:
            return True


def unlock_file(descriptor: int) -> None:
    """Release the lock of an open file, also for the processes that inherited it. Raises OSError."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
