"""Carry over: copy the files that `ignore_files` matches from the published generation into the new one.

They belong to other programs, so a rebuild must not lose them. They are copied, because they change, as late as
possible before publish. What a program writes between the copy and the publish stays in the old generation.
"""

import errno
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from reconciler.apply.context import ApplyContext
from reconciler.backticks import list_in_backticks
from reconciler.diff.findings import SHOWN
from reconciler.diff.ignored_files import divide_ignored_files
from reconciler.diff.model import Target
from reconciler.errors import ApplyError
from reconciler.fs.remove_tree import open_directory
from reconciler.observe.actual import Depth
from reconciler.observe.environment import observe_environment
from reconciler.state.applied import Applied
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory import Inventory
from reconciler.state.inventory_file import load_inventory
from reconciler.state.layout import Generation
from reconciler.state.published_generation import PublishedGeneration

_HINT = "copy them to a different place, then apply with `--drop-ignored` to leave them behind"
_TEMPORARY = ".envsync-carried"
_DIFFERENT_KIND = frozenset({errno.ENOTDIR, errno.EISDIR, errno.ELOOP})
_BLOCK_BYTES = 1024 * 1024


def carry_over(
    old: PublishedGeneration,
    new: Generation,
    built: Inventory,
    last: Applied,
    target: Target,
    context: ApplyContext,
) -> int:
    """Copy the ignored files of `old` into `new`, whose files are `built`; return how many were copied.

    Regular files, symbolic links and empty directories are copied, with mode, times and, if allowed, owner. Raises
    ApplyError if one cannot be carried over, before anything is published, or OSError.
    """
    inodes = InodeHashes.load(context.state.layout.inode_hashes)
    observed = observe_environment(
        context.state.layout.environment(last.name),
        name=last.name,
        published=old,
        depth=Depth.FILES,
        inodes=inodes,
        ignore_files=target.environment.ignored_files,
    )
    carried, lost = divide_ignored_files(observed, last, target.packages or (), target)
    if lost:
        raise _would_be_lost(lost)
    if not carried:
        return 0
    copy = _Copy(before=_contents(load_inventory(old.inventory)), after=_contents(built))
    source, destination = (os.open(each, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW) for each in (old.venv, new.venv))
    try:
        return sum(copy.one(path, source, destination, old.venv / path) for path in carried)
    finally:
        os.close(source)
        os.close(destination)


class _Copy:
    """Copies files between two venvs by descriptors of directories, through no symbolic link.

    `before` and `after` are the contents of the sealed files of both generations (`Inventory.contents`), by path.
    """

    def __init__(self, *, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
        self._before = before
        self._after = after

    def one(self, path: str, source: int, destination: int, named: Path) -> bool:
        """Copy one entry (path relative to both venvs); return whether it still existed and can be copied.

        An error names the path `named`.
        """
        if path in self._after and self._before.get(path) != self._after[path]:
            raise _would_be_lost((path,))  # the new generation brings a different file at this path
        *parents, name = path.split("/")
        opened: list[int] = []
        try:
            for part in parents:
                source = open_directory(part, source)
                opened.append(source)
                destination = _open_or_make(part, destination, os.fstat(source))
                opened.append(destination)
            return _copy_entry(name, source, destination)
        except FileNotFoundError:  # its program deleted it since
            return False
        except OSError as error:
            if error.errno in _DIFFERENT_KIND:  # the new generation has something else at the path
                raise _would_be_lost((path,)) from None
            error.filename, error.filename2 = str(named), None
            raise
        finally:
            for descriptor in opened:
                os.close(descriptor)


def _copy_entry(name: str, source: int, destination: int) -> bool:
    status = os.stat(name, dir_fd=source, follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode):
        os.close(_open_or_make(name, destination, status))
        return True
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISLNK(status.st_mode):
        return False  # a socket or a pipe holds nothing
    with suppress(FileNotFoundError):
        os.unlink(_TEMPORARY, dir_fd=destination)
    if stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(name, dir_fd=source), _TEMPORARY, dir_fd=destination)
        with suppress(PermissionError):
            os.chown(_TEMPORARY, status.st_uid, status.st_gid, dir_fd=destination, follow_symlinks=False)
    else:
        _copy_file(name, source, destination)
    os.rename(_TEMPORARY, name, src_dir_fd=destination, dst_dir_fd=destination)
    return True


def _copy_file(name: str, source: int, destination: int) -> None:
    """Copy a regular file to the temporary name; never by a link, because both generations may be written to later."""
    reading = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=source)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        writing = os.open(_TEMPORARY, flags, 0o600, dir_fd=destination)
        try:
            while block := os.read(reading, _BLOCK_BYTES):
                remaining = memoryview(block)
                while remaining:
                    remaining = remaining[os.write(writing, remaining) :]
            status = os.fstat(reading)
            with suppress(PermissionError):  # only the superuser can give a file to another user
                os.fchown(writing, status.st_uid, status.st_gid)
            os.fchmod(writing, stat.S_IMODE(status.st_mode))
            os.utime(writing, ns=(status.st_atime_ns, status.st_mtime_ns))
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _open_or_make(name: str, parent: int, like: os.stat_result) -> int:
    """Return a descriptor of a directory; a new one gets the mode and, if allowed, the owner of `like`."""
    try:
        os.mkdir(name, 0o700, dir_fd=parent)
    except FileExistsError:
        return open_directory(name, parent)
    made = open_directory(name, parent)
    with suppress(PermissionError):
        os.fchown(made, like.st_uid, like.st_gid)
    os.fchmod(made, stat.S_IMODE(like.st_mode))
    return made


def _contents(inventory: Inventory) -> dict[str, bytes]:
    """Return what each entry contains, by path."""
    return {
        f"{directory}/{inventory.names[position]}" if directory else inventory.names[position]: inventory.content(
            position
        )
        for _, directory, positions in inventory.by_directory()
        for position in positions
    }


def _would_be_lost(paths: tuple[str, ...]) -> ApplyError:
    return ApplyError(
        f"would lose files that `ignore_files` matches: {list_in_backticks(paths, most=SHOWN)}", hint=_HINT
    )
