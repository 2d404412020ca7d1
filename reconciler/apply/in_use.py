"""Finds the generations that live processes use, by the lock that `envsync run` holds and by /proc."""

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from reconciler.fs.own_files import open_own
from reconciler.state.former_name import home_of, is_name
from reconciler.state.layout import Generation

# Something else is in the place of the mark or of a directory on the way. What deletes the generation reports that.
_NO_MARK = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.EINVAL, errno.ENXIO})


def generations_in_use(generations: Iterable[Generation]) -> set[Generation]:
    """Return those of `generations` that a live process uses; /proc is read only if there are any.

    On other systems than Linux, only the lock of `envsync run` shows it.
    """
    candidates = list(generations)
    parents = {each.directory.parent.parent for each in candidates}  # of built generations, and of adopted ones
    named = {each for parent in parents for each in _named_by_processes(parent)}
    return {each for each in candidates if str(each.directory) in named or _is_locked(each)}


def _is_locked(generation: Generation) -> bool:
    """Return whether a command that `envsync run` started holds its shared lock on the generation."""
    try:
        descriptor = open_own(str(generation.in_use), os.O_RDONLY)
    except OSError as error:
        if error.errno in _NO_MARK:
            return False
        raise
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def _named_by_processes(generations: Path) -> set[str]:
    """Return the directories of the generations that a live process names in its command line, environment or maps.

    `generations` is the directory of all of them. The command lines of other users' processes can be read, their
    environments only by the superuser.
    """
    needle = os.fsencode(generations) + b"/"
    named: set[str] = set()
    for content in _process_texts():
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
    proc = Path("/proc")
    own = str(os.getpid())
    try:
        pids = [name for name in os.listdir(proc) if name.isdigit() and name != own]
    except OSError:
        return
    for pid in pids:
        for part in ("cmdline", "environ", "maps"):
            with suppress(OSError):
                yield (proc / pid / part).read_bytes()
        with suppress(OSError):
            yield os.fsencode((proc / pid / "cwd").readlink()) + b"/"
