"""Measures what directories occupy on disk, as du(1) does: allocated blocks, and each inode once. Only reads."""

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

_BLOCK = 512  # the unit of st_blocks (POSIX leaves it open; Linux and macOS use this one)


@dataclass(slots=True)
class Inode:
    """One inode: its size on disk in bytes, how many names it has, and how many of them were found."""

    size: int
    links: int
    found: int = 0

    @property
    def shared(self) -> bool:
        """Return whether it has a name that was not found: deleting what was found does not free it."""
        return self.links > self.found


Inodes: TypeAlias = dict[tuple[int, int], Inode]  # by device and inode number


def measure(directories: Iterable[Path]) -> Inodes:
    """Return the inodes at and below some directories. Raises OSError if something is unreadable.

    No symbolic link is followed. What is deleted meanwhile is left out.
    """
    inodes: Inodes = {}
    for directory in directories:
        with suppress(FileNotFoundError):
            _count(inodes, directory.lstat())
        left = [str(directory)]
        while left:
            try:
                entries = list(os.scandir(left.pop()))
            except (FileNotFoundError, NotADirectoryError):
                continue
            for each in entries:
                with suppress(FileNotFoundError):
                    _count(inodes, os.lstat(each.path))  # not `each.stat()`: it has no st_nlink on some systems
                if each.is_dir(follow_symlinks=False):
                    left.append(each.path)
    return inodes


def total(inodes: Iterable[Inode]) -> int:
    """Return the size on disk in bytes."""
    return sum(each.size for each in inodes)


def _count(inodes: Inodes, status: os.stat_result) -> None:
    links = 1 if stat.S_ISDIR(status.st_mode) else status.st_nlink  # subdirectories count as names of a directory
    inode = inodes.setdefault((status.st_dev, status.st_ino), Inode(status.st_blocks * _BLOCK, links))
    inode.found += 1
