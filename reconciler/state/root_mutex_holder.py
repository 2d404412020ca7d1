"""Finds out which process holds the root mutex: an envsync, or programs that a killed envsync started.

These programs hold it because they keep its descriptor open.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.backticks import in_backticks
from reconciler.fs.atomic_write import process_exists
from reconciler.fs.own_files import read_own
from reconciler.state.layout import Layout

_PROC = Path("/proc")
_LIMIT_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class MutexHolder:
    """`description` is what the holder wrote about itself. `orphaned` means that it ended and left programs behind.

    `orphans` are these programs, as far as this system shows them: `pid 34 (python3.12)`.
    """

    description: str
    orphaned: bool = False
    orphans: tuple[str, ...] = ()


def find_holder(layout: Layout) -> MutexHolder:
    """Return the holder of a root's mutex; details that cannot be found out are left out."""
    try:
        written = json.loads(read_own(str(layout.mutex_holder), limit=_LIMIT_BYTES))
        pid, host = int(written["pid"]), str(written["host"])
        started = in_backticks(str(written["command"]))
        description = f"pid {pid} on {in_backticks(host)}, since {written['since']}, {started}"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return MutexHolder(description="an unknown process")
    if host != socket.gethostname():
        return MutexHolder(description=description)
    pids = tuple(_holding_pids(layout.mutex))
    if pid in pids or (not pids and process_exists(pid)):
        return MutexHolder(description=description)
    orphans = tuple(f"pid {each}{_program(each)}" for each in pids)
    return MutexHolder(description=description, orphaned=True, orphans=orphans)


def held_by_another_process(layout: Layout) -> bool:
    """Return whether another live process of this host wrote that it holds the root mutex; False if that is unknown."""
    try:
        written = json.loads(read_own(str(layout.mutex_holder), limit=_LIMIT_BYTES))
        pid, host = int(written["pid"]), str(written["host"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
    return host == socket.gethostname() and pid != os.getpid() and process_exists(pid)


def _holding_pids(mutex: Path) -> Iterator[int]:
    """Yield the processes with the locked descriptor (Linux: proc(5)); a process that waits has a different one."""
    try:
        wanted = mutex.stat()
        pids = sorted(int(each) for each in os.listdir(_PROC) if each.isdecimal())
    except OSError:  # /proc is missing or hidden
        return
    for pid in pids:
        with suppress(OSError):  # it ended, or belongs to a different user
            if any(_is_locked(_PROC / str(pid), each, wanted) for each in os.listdir(_PROC / str(pid) / "fd")):
                yield pid


def _is_locked(process: Path, descriptor: str, wanted: os.stat_result) -> bool:
    """Return whether a process's descriptor is the wanted file and holds a lock on it."""
    try:
        opened = (process / "fd" / descriptor).stat()
    except OSError:
        return False
    if (opened.st_dev, opened.st_ino) != (wanted.st_dev, wanted.st_ino):
        return False
    return b"FLOCK" in (process / "fdinfo" / descriptor).read_bytes()


def _program(pid: int) -> str:
    """Return the name of a process in brackets, empty if it is unknown."""
    try:
        return f" ({in_backticks((_PROC / str(pid) / 'comm').read_text(errors='replace').strip())})"
    except OSError:
        return ""
