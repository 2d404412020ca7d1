"""Reads a file below a directory through descriptors, so that no part of its path can become a link in between."""

import errno
import os
import stat
from pathlib import Path

from reconciler.fs.read import open_regular, read_descriptor

# A directory that may be entered but not listed can be opened with O_PATH, which only Linux has.
_DIRECTORY = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def read_beneath(path: Path, top: Path, *, limit: int) -> bytes:
    """Return the content of a regular file below `top`; both paths are absolute and without symbolic links.

    So a check of the path counts for what is read, even if the path changes in between. Raises OSError as
    `read_regular` does, ELOOP or ENOTDIR for a part that is a link. Nothing else than a regular file is ever opened:
    opening a device can change it.
    """
    parts = path.relative_to(top).parts or (".",)
    directory = os.open(top, _DIRECTORY)
    try:
        for part in parts[:-1]:
            inner = os.open(part, _DIRECTORY, dir_fd=directory)
            os.close(directory)
            directory = inner
        kind = os.stat(parts[-1], dir_fd=directory, follow_symlinks=False).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, "a directory, not a file", str(path))
        if not stat.S_ISREG(kind) and not stat.S_ISLNK(kind):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return read_descriptor(open_regular(parts[-1], directory=directory), path, limit=limit)
    finally:
        os.close(directory)
