"""Deleting a directory tree by descriptor: nothing outside of it is ever reached, whatever lies in the way.

No symlink is followed, no mount point is crossed, and what was opened and looked at is what is emptied.
"""

import errno
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_MOUNTS = Path("/proc/self/mountinfo")
_OCTAL = re.compile(rb"\\([0-7]{3})")


class ForeignTreeError(OSError):
    """What stands there is not what was recorded, or not that alone: it is left as it is."""


def remove_tree(
    parent: Path,
    name: str,
    *,
    below: Path | None = None,
    first: str = "",
    last: str = "",
    look: Callable[[int], None] | None = None,
) -> None:
    """Delete `parent/name`, a real directory; every directory from `below` (default: `parent`) down is opened
    without following a symlink. `look` gets its descriptor before anything in it is touched, and raises where it is
    not to be deleted. The file `first` in it goes before all else, and `last` after it.

    Raises OSError (ELOOP or ENOTDIR where a link stands in the way), ForeignTreeError where something is mounted in it,
    or ValueError for a `name` that is a path; what is already gone is fine.
    """
    start = below or parent
    inside = parent.relative_to(start).parts
    if name in {"", ".", ".."} or "/" in name or ".." in inside:
        raise ValueError(f"not one name below {start}: {name!r}")
    above = os.open(start, _DIRECTORY)
    try:
        for part in inside:
            inner = open_directory(part, above)
            os.close(above)
            above = inner
        try:
            top = open_directory(name, above)
        except FileNotFoundError:
            return
        try:
            _refuse_mounts(top, above)
            if look is not None:
                look(top)
            if first:
                _gone(first, top)
            _empty_top(top, spare=last)
            if last:
                _gone(last, top)
        finally:
            os.close(top)
        os.rmdir(name, dir_fd=above)
    finally:
        os.close(above)


def open_directory(name: str, parent: int) -> int:
    """Return a descriptor of the directory `name` in another; raises OSError where it is a symlink."""
    return os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)


def _refuse_mounts(top: int, above: int) -> None:
    """Raise ForeignTreeError where something is mounted at or below `top`: a bind mount has the same device as all."""
    mounted = os.fstat(top).st_dev != os.fstat(above).st_dev
    if _MOUNTS.exists():  # Linux
        place = os.fsencode(os.readlink(f"/proc/self/fd/{top}"))  # noqa: PTH115  # as the kernel names it
        points = [_OCTAL.sub(_byte, line.split()[4]) for line in _MOUNTS.read_bytes().splitlines()]
        mounted = mounted or any(point == place or point.startswith(place + b"/") for point in points)
    if mounted:
        raise ForeignTreeError(errno.EBUSY, "a file system is mounted at or below it")


def _byte(escape: re.Match[bytes]) -> bytes:
    return bytes([int(escape[1], 8)])


def _empty_top(top: int, *, spare: str) -> None:
    """Delete what is in a directory of any depth: directories are moved up to it, until nothing is below those."""
    device = os.fstat(top).st_dev
    while entries := [entry for entry in os.listdir(top) if entry != spare]:
        for entry in entries:
            if not _unlink(entry, top):
                _empty(entry, top, device)
                os.rmdir(entry, dir_fd=top)


def _empty(name: str, top: int, device: int) -> None:
    """Delete the files of a directory at the top, and move its directories there; an empty one needs no move."""
    inner = open_directory(name, top)
    try:
        if os.fstat(inner).st_dev != device:
            raise ForeignTreeError(errno.EXDEV, "a file system is mounted below it")
        for entry in os.listdir(inner):
            if not _unlink(entry, inner):
                try:
                    os.rename(entry, os.urandom(16).hex(), src_dir_fd=inner, dst_dir_fd=top)
                except PermissionError:  # to be moved, it would have to be ours to write; to go, it must be empty
                    os.rmdir(entry, dir_fd=inner)
    finally:
        os.close(inner)


def _unlink(name: str, directory: int) -> bool:
    """Delete what is no directory; say whether it was none."""
    try:
        os.unlink(name, dir_fd=directory)
    except (IsADirectoryError, PermissionError):  # EPERM for a directory: POSIX, macOS
        if not stat.S_ISDIR(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
            raise
        return False
    return True


def _gone(name: str, directory: int) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        return
