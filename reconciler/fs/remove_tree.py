"""Deletes a directory tree by descriptors, so that nothing outside of it is ever reached.

No symbolic link is followed and no mount point is crossed. The directory that is checked is the one that is emptied.
"""

import errno
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

from reconciler.backticks import in_backticks

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_MOUNTS = Path("/proc/self/mountinfo")
_OCTAL = re.compile(rb"\\([0-7]{3})")


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
            if check is not None:
                check(top)
            if first:
                _unlink_if_exists(first, top)
            _empty_top(top, spare=last)
            if last:
                _unlink_if_exists(last, top)
        finally:
            os.close(top)
        os.rmdir(name, dir_fd=above)
    finally:
        os.close(above)


def open_directory(name: str, parent: int) -> int:
    """Return a descriptor of the directory `name` in another; raises OSError if it is a symbolic link."""
    return os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)


def _refuse_mounts(top: int, above: int) -> None:
    """Raise ForeignTreeError if something is mounted at or below `top`; a bind mount may have the same device."""
    mounted = os.fstat(top).st_dev != os.fstat(above).st_dev
    if _MOUNTS.exists():  # Linux
        place = os.fsencode(os.readlink(f"/proc/self/fd/{top}"))  # noqa: PTH115  # the path as the kernel has it
        points = [_OCTAL.sub(_byte, line.split()[4]) for line in _MOUNTS.read_bytes().splitlines()]
        mounted = mounted or any(point == place or point.startswith(place + b"/") for point in points)
    if mounted:
        raise ForeignTreeError(errno.EBUSY, "a file system is mounted at or below it")


def _byte(escape: re.Match[bytes]) -> bytes:
    return bytes([int(escape[1], 8)])


def _empty_top(top: int, *, spare: str) -> None:
    """Empty a directory of any depth: subdirectories are moved up into it until none is nested."""
    device = os.fstat(top).st_dev
    while entries := [entry for entry in os.listdir(top) if entry != spare]:
        for entry in entries:
            if not _unlink_file(entry, top):
                _empty(entry, top, device)
                os.rmdir(entry, dir_fd=top)


def _empty(name: str, top: int, device: int) -> None:
    """Delete the files of a directory in `top`, and move its subdirectories to `top`."""
    inner = open_directory(name, top)
    try:
        if os.fstat(inner).st_dev != device:
            raise ForeignTreeError(errno.EXDEV, "a file system is mounted below it")
        for entry in os.listdir(inner):
            if not _unlink_file(entry, inner):
                try:
                    os.rename(entry, os.urandom(16).hex(), src_dir_fd=inner, dst_dir_fd=top)
                except PermissionError as denied:  # moving a directory needs permission to write in it
                    try:
                        os.rmdir(entry, dir_fd=inner)  # an empty one can be deleted without
                    except OSError:
                        raise denied from None  # not that the directory is not empty
    finally:
        os.close(inner)


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
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        return
