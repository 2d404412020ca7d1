"""What the kernel keeps in memory of file systems: dropped, so that one operation does not slow down the next."""

import os
from pathlib import Path

_DROP = Path("/proc/sys/vm/drop_caches")
_NAMES, _ALL = "2", "3"


def may_drop() -> bool:
    """Say whether this process may drop anything: root may, on Linux."""
    return os.access(_DROP, os.W_OK)


def drop_names() -> None:
    """Drop names and inodes, not contents: every look takes longer while the kernel holds millions of them."""
    if may_drop():
        _drop(_NAMES)


def drop_all(_round: int) -> None:
    """Drop contents, too: what comes next in a round is read from the disk. Raises OSError where it is not allowed."""
    _drop(_ALL)


def _drop(what: str) -> None:
    os.sync()  # what is not yet written stays
    _DROP.write_text(what, encoding="ascii")
