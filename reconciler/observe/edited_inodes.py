"""Finds the inodes of edited files that have other names too: hard links, which share every edit."""

import os
import stat
from collections.abc import Iterable
from contextlib import suppress

from reconciler.observe.actual import EditedInode, Finding, FindingCode

_EDITS = frozenset({FindingCode.FILE_CHANGED, FindingCode.MODE_CHANGED})


def edited_inodes(place: str, findings: Iterable[Finding]) -> tuple[EditedInode, ...]:
    """Return the inode of each edited file in the venv at `place` (absolute) that has other hard links, by path.

    Only files that `findings` name are looked at.
    """
    found = {}
    for path in {each.path for each in findings if each.code in _EDITS}:
        with suppress(OSError):  # it changed again; the finding remains
            status = os.lstat(f"{place}/{path}")
            if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
                found[path] = EditedInode(path=path, device=status.st_dev, inode=status.st_ino)
    return tuple(found[path] for path in sorted(found))
