"""Deleting a directory tree by descriptor: nothing outside of it is ever reached, whatever links lie in the way."""

import errno
import os
import shutil
from pathlib import Path


def remove_tree(parent: Path, name: str, *, below: Path | None = None) -> None:
    """Delete `parent/name`, a real directory; every directory from `below` (default: `parent`) down is opened
    without following a symlink.

    Raises OSError (ELOOP or ENOTDIR where a link stands in the way), or ValueError for a `name` that is a path; what is
    already gone is fine.
    """
    start = below or parent
    inside = parent.relative_to(start).parts
    if name in {"", ".", ".."} or "/" in name or ".." in inside:
        raise ValueError(f"not one name below {start}: {name!r}")
    descriptor = os.open(start, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in inside:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        try:
            shutil.rmtree(name, dir_fd=descriptor)  # by descriptors, no link followed, where the platform can
        except FileNotFoundError:
            return
        except RecursionError as error:  # before Python 3.13, a thousand directories deep
            raise OSError(errno.ELOOP, "too many directories in each other", str(parent / name)) from error
    finally:
        os.close(descriptor)
