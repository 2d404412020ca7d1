"""Deletes a directory tree by descriptors, so that nothing outside of it is ever reached.

No symbolic link is followed and no mount point is crossed. The directory that is checked is the one that is emptied.
"""

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.backticks import in_backticks
from reconciler.fs.mounts import mount_points

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class ForeignTreeError(OSError):
    """The directory is not the recorded one, or contains other files; it is left as it is."""


def remove_tree(
    parent: Path,
    name: str,
    *,
    below: Path | None = None,
    first: str = "",
    last: str = "",
    check: Callable[[int], None] | None = None,
) -> None:
    """Delete the directory `parent/name`.

    Every directory from `below` (default: `parent`) down is opened without following a symbolic link. `check` gets the
    descriptor of the directory before anything in it changes, and raises if it must not be deleted. The file `first`
    in it is deleted first, and the file `last` last.

    Raises OSError (ELOOP or ENOTDIR for a symbolic link), ForeignTreeError if something is mounted in it, or ValueError
    if `name` is a path. Nothing happens if the directory does not exist.
    """
    start = below or parent
    inside = parent.relative_to(start).parts
    if name in {"", ".", ".."} or "/" in name or ".." in inside:
        raise ValueError(f"not one name below `{start}`: {in_backticks(name)}")
    above = open_below(start, *inside)
    try:
        try:
            top = open_directory(name, above)
        except FileNotFoundError:
            return
        try:
            _refuse_mounts(top, above)
            if check is not None:
                check(top)
            _unlink_if_exists(first, top)
            _empty_top(top, spare=last)
            _unlink_if_exists(last, top)
        finally:
            os.close(top)
        os.rmdir(name, dir_fd=above)
    finally:
        os.close(above)


def open_below(start: Path, *parts: str) -> int:
    """Return a descriptor of the directory `start/parts`; no link below `start` is followed. Raises OSError."""
    opened = os.open(start, _DIRECTORY)
    for part in parts:
        try:
            inner = open_directory(part, opened)
        finally:
            os.close(opened)
        opened = inner
    return opened


def open_directory(name: str, parent: int) -> int:
    """Return a descriptor of the directory `name` in another; raises OSError if it is a symbolic link."""
    return os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)


def _refuse_mounts(top: int, above: int) -> None:
    """Raise ForeignTreeError if something is mounted at or below `top`; a bind mount may have the same device."""
    mounted = os.fstat(top).st_dev != os.fstat(above).st_dev
    points = [point for point, _ in mount_points()]
    if points:  # Linux
        place = os.fsencode(os.readlink(f"/proc/self/fd/{top}"))  # noqa: PTH115  # the path as the kernel has it
        mounted = mounted or any(point == place or point.startswith(place + b"/") for point in points)
    if mounted:
        raise ForeignTreeError(errno.EBUSY, "a file system is mounted at or below it")


def _empty_top(top: int, *, spare: str) -> None:
    """Delete everything in a directory except for the file `spare`."""
    while entries := [entry for entry in os.listdir(top) if entry != spare]:
        for entry in entries:
            if not _unlink_file(entry, top):
                walk = _Walk(top)
                try:
                    walk.remove(entry)
                finally:
                    os.close(walk.current)


@dataclass(slots=True)
class _Level:
    """A directory on the way down: its name, device and inode of its parent, and its subdirectories that are left."""

    name: str
    parent: tuple[int, int]
    left: list[str]


class _Walk:
    """Deletes a directory of any depth in its place, with one open descriptor: `current`.

    Nothing is moved: overlayfs answers EXDEV if a directory of a lower layer is moved. The way up is `..`, which must
    open the directory that the way down came from.
    """

    def __init__(self, top: int) -> None:
        self.current = os.dup(top)
        self._device = os.fstat(top).st_dev
        self._path: list[_Level] = []

    def remove(self, name: str) -> None:
        """Delete the directory `name` of the current directory; an OSError names the path below it."""
        try:
            self._descend(name)
            while self._path:
                level = self._path[-1]
                if level.left:
                    self._descend(level.left.pop())
                else:
                    self._ascend(level)
        except OSError as error:
            if isinstance(error.filename, str):
                error.filename = "/".join([*(each.name for each in self._path), error.filename])
            raise

    def _descend(self, name: str) -> None:
        """Enter a directory, and delete its files."""
        parent = _identity(self.current)
        self._enter(name)
        if os.fstat(self.current).st_dev != self._device:
            raise ForeignTreeError(errno.EXDEV, "a file system is mounted below it")
        level = _Level(name, parent, [])
        self._path.append(level)
        level.left += [entry for entry in os.listdir(self.current) if not _unlink_file(entry, self.current)]

    def _ascend(self, level: _Level) -> None:
        """Leave an empty directory, and delete it."""
        self._enter("..")
        self._path.pop()
        if _identity(self.current) != level.parent:
            raise ForeignTreeError(errno.ESTALE, "it was moved while it was deleted")
        os.rmdir(level.name, dir_fd=self.current)

    def _enter(self, name: str) -> None:
        entered = open_directory(name, self.current)
        os.close(self.current)
        self.current = entered


def _identity(directory: int) -> tuple[int, int]:
    status = os.fstat(directory)
    return status.st_dev, status.st_ino


def _unlink_file(name: str, directory: int) -> bool:
    """Delete a file or link, and return True; return False for a directory."""
    try:
        os.unlink(name, dir_fd=directory)
    except (IsADirectoryError, PermissionError):  # macOS and POSIX report EPERM for a directory
        if not stat.S_ISDIR(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
            raise
        return False
    return True


def _unlink_if_exists(name: str, directory: int) -> None:
    """Delete a file if it exists; an empty name names no file."""
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=directory)
