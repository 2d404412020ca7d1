"""Drop the kernel's file system caches, so that one operation does not slow down the next."""

import os
from pathlib import Path

_DROP = Path("/proc/sys/vm/drop_caches")
_NAMES, _ALL = "2", "3"


def can_drop() -> bool:
    """Return whether this process can drop caches: only root on Linux can."""
    return os.access(_DROP, os.W_OK)


def drop_names() -> None:
    """Drop names and inodes, not contents: every lookup takes longer while the kernel holds millions of them."""
    if can_drop():
        _drop(_NAMES)


def drop_all(_round: int) -> None:
    """Drop contents too, so that the next command reads from the disk. Raise OSError if that is not allowed."""
    _drop(_ALL)


def _drop(what: str) -> None:
    os.sync()  # unwritten data cannot be dropped
    _DROP.write_text(what, encoding="ascii")
