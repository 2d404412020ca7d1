"""Who keeps the root's lock: its holder, or what a killed holder started (which keeps the lock's descriptor)."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.fs.atomic_write import lives
from reconciler.state.layout import Layout

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holders:
    """`who` names the holder as it named itself; `orphaned` says that it is dead and only its children keep the lock.

    `orphans` are those, as far as this system tells: `pid 34 (python3.12)`.
    """

    who: str
    orphaned: bool = False
    orphans: tuple[str, ...] = ()


def holders_of(layout: Layout) -> Holders:
    """Return who keeps the lock of a root; whatever cannot be found out is left out, never raised."""
    try:
        said = json.loads(layout.holder.read_bytes())
        pid, host = int(said["pid"]), str(said["host"])
        who = f"pid {pid} on {host}, since {said['since']}, {said['command']}"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Holders(who="its holder did not say who it is")
    if host != socket.gethostname():
        return Holders(who=who)
    keepers = tuple(_keepers(layout.lock))
    if pid in keepers or (not keepers and lives(pid)):
        return Holders(who=who)
    return Holders(who=who, orphaned=True, orphans=tuple(f"pid {each}{_name(each)}" for each in keepers))


def another_holds(layout: Layout) -> bool:
    """Say whether another process of this host wrote that it holds the root's lock, and lives; False where unsure."""
    try:
        said = json.loads(layout.holder.read_bytes())
        pid, host = int(said["pid"]), str(said["host"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
    return host == socket.gethostname() and pid != os.getpid() and lives(pid)


def _keepers(lock: Path) -> Iterator[int]:
    """Yield the processes that have the locked descriptor open; who only waits has another one (Linux: proc(5))."""
    try:
        wanted = lock.stat()
        pids = sorted(int(each) for each in os.listdir(_PROC) if each.isdecimal())
    except OSError:  # no /proc, or it is hidden
        return
    for pid in pids:
        with suppress(OSError):  # it ended, or is somebody else's
            if any(_keeps(_PROC / str(pid), each, wanted) for each in os.listdir(_PROC / str(pid) / "fd")):
                yield pid


def _keeps(process: Path, descriptor: str, wanted: os.stat_result) -> bool:
    try:
        opened = (process / "fd" / descriptor).stat()
    except OSError:
        return False
    if (opened.st_dev, opened.st_ino) != (wanted.st_dev, wanted.st_ino):
        return False
    return b"FLOCK" in (process / "fdinfo" / descriptor).read_bytes()


def _name(pid: int) -> str:
    """Return the name of a process in brackets, empty where it cannot be told."""
    try:
        return f" ({(_PROC / str(pid) / 'comm').read_text(errors='replace').strip()})"
    except OSError:
        return ""
