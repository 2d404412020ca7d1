"""Waits for the operating system's lock of an open file (flock), but never without limit.

Every user who may read a file can lock it, and keep the lock for ever.
"""

from __future__ import annotations

import fcntl
import time

_PAUSE_SECONDS = 0.05


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
