"""Finds the generations that live processes use, by the lock that `envsync run` holds and by /proc."""

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

from reconciler.fs.file_lock import has_no_locks, lock_file
from reconciler.fs.own_files import open_own
from reconciler.state.former_name import home_of, is_name, owner_of
from reconciler.state.layout import Generation

# Something else is in the place of the mark or of a directory on the way. What deletes the generation reports that.
_NO_MARK = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.EINVAL, errno.ENXIO})

_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def generations_in_use(generations: Iterable[Generation]) -> set[Generation]:
    """Return those of `generations` that a live process uses; /proc is read only if there are any.

    On other systems than Linux, only the lock of `envsync run` shows it.
    """
    candidates = list(generations)
    parents = {each.directory.parent.parent for each in candidates}  # of built generations, and of adopted ones
    relative = list(_relative_programs()) if candidates else []
    named = {each for parent in parents for each in _named_by_processes(parent, relative)}
    return {
        each for each in candidates if str(each.directory) in named or _may_run_from(each, relative) or _is_locked(each)
    }


def _may_run_from(generation: Generation, programs: Iterable[str]) -> bool:
    """Return whether one of the `programs` was started through the path of the generation's environment.

    Python then has the path of the generation that was published at that time, which nothing else shows. So every
    generation of the environment counts.
    """
    generations = generation.directory.parent.parent
    names = {generation.home, owner_of(str(generations), generation.home, generation.number)}  # before a rename and now
    published = tuple(f"{generations.parent.parent}/{name}/" for name in names)
    return any(each.startswith(published) for each in programs)


def _is_locked(generation: Generation) -> bool:
    """Return whether a command that `envsync run` started holds its shared lock on the generation.

    On a file system without locks no command holds one, and what /proc shows decides.
    """
    try:
        descriptor = _open_mark(str(generation.in_use))
    except OSError as error:
        if error.errno in _NO_MARK:
            return False
        raise
    try:
        return not lock_file(descriptor, fcntl.LOCK_EX, 0)
    except OSError as error:
        if not has_no_locks(error):
            raise
        return error.errno == errno.EBADF  # a lock of NFS needs a mark that may be written: it is not known
    finally:
        os.close(descriptor)


def _open_mark(path: str) -> int:
    """Open the mark for writing, which NFS requires for an exclusive lock; a read-only one can only be read."""
    try:
        return open_own(path, os.O_RDWR)
    except OSError as error:
        if error.errno not in _READ_ONLY:
            raise
        return open_own(path, os.O_RDONLY)


def _named_by_processes(generations: Path, programs: Iterable[str]) -> set[str]:
    """Return the directories of the generations that a live process names in its command line, environment or maps.

    `generations` is the directory of all of them, `programs` are those of `_relative_programs`. The command lines of
    other users' processes can be read, their environments only by the superuser.
    """
    needle = os.fsencode(generations) + b"/"
    named: set[str] = set()
    for content in chain(_process_texts(), map(os.fsencode, programs)):
        start = content.find(needle)
        while start >= 0:
            rest = content[start + len(needle) : start + len(needle) + 300].split(b"/", 2)
            if len(rest) > 1 and rest[1][:12].isdigit():
                name, number = os.fsdecode(rest[0]), int(rest[1])
                home = home_of(str(generations), name, number) if is_name(name) else name
                named.add(f"{generations}/{home}/{number}")
            start = content.find(needle, start + 1)
    return named


def _process_texts() -> Iterator[bytes]:
    for process in _processes():
        for part in ("cmdline", "environ", "maps"):
            with suppress(OSError):
                yield (process / part).read_bytes()
        with suppress(OSError):
            yield os.fsencode((process / "cwd").readlink()) + b"/"


def _relative_programs() -> Iterator[str]:
    """Yield the absolute paths of programs that were started by a relative path, such as `web/bin/python`.

    It is relative to the present directory of the process or, if that changed, to the one that a shell put into `PWD`.
    """
    for process in _processes():
        with suppress(OSError):
            program = (process / "cmdline").read_bytes().partition(b"\0")[0]
            if b"/" not in program or program.startswith(b"/"):
                continue
            directories = [os.fsencode((process / "cwd").readlink())]
            with suppress(OSError):  # only the superuser may read those of other users
                variables = (process / "environ").read_bytes().split(b"\0")
                directories += [each[4:] for each in variables if each.startswith(b"PWD=/")]
            for each in directories:
                yield os.path.normpath(os.fsdecode(each + b"/" + program))


def _processes() -> list[Path]:
    """Return the directory in /proc of every process but this one; none without /proc."""
    own = str(os.getpid())
    try:
        return [Path("/proc", name) for name in os.listdir("/proc") if name.isdigit() and name != own]
    except OSError:
        return []
