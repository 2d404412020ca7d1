"""Deleting a directory tree by descriptor: nothing outside of it is ever reached, whatever links lie in the way."""

import errno
import os
import secrets
import shutil
from pathlib import Path

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def remove_tree(parent: Path, name: str, *, below: Path | None = None, first: str = "") -> None:
    """Delete `parent/name`, a real directory; every directory from `below` (default: `parent`) down is opened
    without following a symlink. The file `first` in it goes before all else: without it, the rest says nothing.

    Raises OSError (ELOOP or ENOTDIR where a link stands in the way), or ValueError for a `name` that is a path; what is
    already gone is fine.
    """
    start = below or parent
    inside = parent.relative_to(start).parts
    if name in {"", ".", ".."} or "/" in name or ".." in inside:
        raise ValueError(f"not one name below {start}: {name!r}")
    descriptor = os.open(start, _DIRECTORY)
    try:
        for part in inside:
            inner = os.open(part, _DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        try:
            if first:
                _unlink_below(name, first, descriptor)
            shutil.rmtree(name, dir_fd=descriptor)  # by descriptors, no link followed, where the platform can
        except FileNotFoundError:
            return
        except (RecursionError, OSError) as error:
            if isinstance(error, OSError) and error.errno != errno.EMFILE:
                raise
            _remove_deep(descriptor, name)  # rmtree takes a call and a descriptor a level
    finally:
        os.close(descriptor)


def _unlink_below(name: str, file: str, parent: int) -> None:
    """Delete one file of the directory `name`; raises FileNotFoundError where there is no such directory."""
    descriptor = os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    try:
        os.unlink(file, dir_fd=descriptor)
    except FileNotFoundError:
        return
    finally:
        os.close(descriptor)


def _remove_deep(parent: int, name: str) -> None:
    """Delete a tree of any depth: directories are moved up to its top, until nothing is below those."""
    top = os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    try:
        while entries := os.listdir(top):
            for entry in entries:
                if not _unlink(entry, top):
                    _empty(entry, top)
                    os.rmdir(entry, dir_fd=top)
    finally:
        os.close(top)
    os.rmdir(name, dir_fd=parent)


def _empty(name: str, top: int) -> None:
    """Delete the files of a directory at the top, and move its directories there."""
    descriptor = os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
    try:
        for entry in os.listdir(descriptor):
            if not _unlink(entry, descriptor):
                os.rename(entry, secrets.token_hex(16), src_dir_fd=descriptor, dst_dir_fd=top)
    finally:
        os.close(descriptor)


def _unlink(name: str, directory: int) -> bool:
    """Delete what is no directory; say whether it was none."""
    try:
        os.unlink(name, dir_fd=directory)
    except (IsADirectoryError, PermissionError):  # EPERM for a directory: POSIX, macOS
        return False
    return True
