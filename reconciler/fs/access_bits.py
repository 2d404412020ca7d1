"""Who may read a directory tree: those who may enter its top directory.

An access is a set of permission bits of group and others: 0 (the owner alone), 0o050 (the group too) or 0o055 (all).
Imports only modules that load fast.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

_TYPE, _LINK = 0o170000, 0o120000  # S_IFMT, S_IFLNK


def access_to(top: str | Path) -> int:
    """Return the access that the mode of a directory gives: who may enter it; 0 if it cannot be examined."""
    try:
        mode = os.stat(top).st_mode  # noqa: PTH116
    except OSError:
        return 0
    return (0o050 if mode & 0o010 else 0) | (0o005 if mode & 0o001 else 0)


def root_bits(top: str | Path) -> int:
    """Return the permission bits of group and others of a directory; 0 if it cannot be examined."""
    try:
        return os.stat(top).st_mode & 0o077  # noqa: PTH116
    except OSError:
        return 0


def missing_bits(mode: int, access: int) -> int:
    """Return the bits that a file or directory of this st_mode lacks: what its owner may read or execute, others may.

    No user gets permission to write. A symbolic link lacks nothing.
    """
    if mode & _TYPE == _LINK:
        return 0
    owner = mode & 0o500
    return (owner >> 3 | owner >> 6) & access & ~mode


def lacks_access(path: str | Path, access: int) -> bool:
    """Return whether a path lacks an access; False if it does not exist, which is not a question of access."""
    try:
        return bool(missing_bits(os.lstat(path).st_mode, access))
    except OSError:
        return False
