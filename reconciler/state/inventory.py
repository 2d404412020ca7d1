"""Takes, writes and reads the inventory of a generation's venv: every entry as it was when it was sealed.

Taken without following a link, each inode hashed once; kept as flat marshal, which loads fastest.
"""

import os
import stat
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from reconciler.errors import StateError
from reconciler.state.entries import Entry, Inventory, content_digest, content_of, entry_type
from reconciler.state.files import write_atomic
from reconciler.state.inodes import TICK_NS, InodeHashes
from reconciler.state.marshalled import dump_marshalled, load_marshalled

__all__ = [
    "IGNORED_AT_TOP",
    "Inventory",
    "InventoryError",
    "load_inventory",
    "save_inventory",
    "take_inventory",
]

IGNORED_AT_TOP = frozenset({".lock"})  # uv's own lock file: made and left behind by any uv command
_MOST_LOOKS = 3


class InventoryError(StateError):
    """An inventory file is missing, damaged, or of a format that this version does not read."""

    code = "inventory"


def take_inventory(venv: Path, inodes: InodeHashes) -> Inventory:
    """Return the inventory of a venv; raises StateError where it cannot be read.

    It waits one tick of the clock first, and looks again where an entry is as young as that: a change made in the same
    tick could not be told from no change (git's racy rule). Builds beside this one that link the same cached files keep
    some of them young; what still is after a few looks is recorded without its ctime, and so settled by hash later on.
    """
    try:
        for _ in range(_MOST_LOOKS):
            time.sleep(TICK_NS / 1e9)
            started = time.time_ns()
            found = list(_walk(str(venv), "", inodes))
            ended = time.time_ns()
            stamps = chain(
                (each.status.st_ctime_ns for each in found), (row.ctime_ns for each in found for row in each.rows)
            )
            if not any(started - TICK_NS <= stamp <= ended + TICK_NS for stamp in stamps):
                break
    except OSError as error:
        raise StateError(f"the inventory of {venv} could not be taken: {error}") from error
    return _columns(found, too_young=started - TICK_NS)


def save_inventory(inventory: Inventory, path: Path) -> None:
    """Write an inventory, atomically; raises StateError where that cannot be."""
    try:
        write_atomic(path, dump_marshalled("inventory", plain_columns(inventory)))
    except OSError as error:
        raise StateError(f"{path} could not be written: {error.strerror}") from error


def load_inventory(path: Path, *, digest: str = "") -> Inventory:
    """Read an inventory; raises InventoryError where it is missing, unreadable, damaged, or not the one of `digest`."""
    try:
        columns = load_marshalled("inventory", path.read_bytes())
        read: dict[str, Any] = {
            name: array(_CODES[name], value) if name in _CODES else value for name, value in columns.items()
        }
        read |= {name: tuple(columns[name].split(_BETWEEN)) if columns[name] else () for name in _JOINED}
        read["directories"] = read["directories"] or ("",)
        inventory = Inventory(**read)
    except OSError as error:
        raise InventoryError(f"{path}: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise InventoryError(f"{path}: {error}") from error
    length = len(inventory.names)
    if sum(inventory.counts) != length or len(inventory.contents) != 33 * length:
        raise InventoryError(f"{path}: its columns do not fit together")
    if digest not in {"", inventory.digest}:
        raise InventoryError(f"{path}: not the one that was sealed")
    return inventory


@dataclass(slots=True)
class _Directory:
    path: str
    status: os.stat_result
    rows: list[Entry] = field(default_factory=list)


def _walk(top: str, relative: str, inodes: InodeHashes) -> Iterator[_Directory]:
    """Yield a directory and all below it, each with its entries that are no directories, sorted."""
    place = f"{top}/{relative}" if relative else top
    found = _Directory(relative, os.lstat(place))
    below = []
    with os.scandir(place) as listing:
        for entry in listing:
            path = f"{relative}/{entry.name}" if relative else entry.name
            if path in IGNORED_AT_TOP:
                continue
            if entry.is_dir(follow_symlinks=False):
                below.append(path)
            else:
                found.rows.append(_entry(entry.path, path, inodes))
    found.rows.sort(key=lambda row: row.path)
    yield found
    for path in sorted(below):
        yield from _walk(top, path, inodes)


def _entry(place: str, path: str, inodes: InodeHashes) -> Entry:
    status = os.lstat(place)
    regular, link = stat.S_ISREG(status.st_mode), stat.S_ISLNK(status.st_mode)
    return Entry(
        path=path,
        type=entry_type(status.st_mode),
        mode=status.st_mode,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        ctime_ns=status.st_ctime_ns,
        device=status.st_dev,
        inode=status.st_ino,
        sha256=inodes.sha256_of(place, status) if regular else "",
        target=os.readlink(place) if link else "",  # noqa: PTH115  # the text itself, not a Path
    )


def _columns(found: list[_Directory], *, too_young: int) -> Inventory:
    """Return the entries as columns; a ctime of `too_young` (nanoseconds) or later tells nothing and is left out."""
    rows = [row for each in found for row in each.rows]
    statuses = [each.status for each in found]
    directories = tuple(
        Entry(path=each.path, type="directory", mode=0, size=0, mtime_ns=0, ctime_ns=0, device=0, inode=0)
        for each in found
        if each.path
    )
    return Inventory(
        digest=content_digest((*directories, *rows)),
        directories=tuple(each.path for each in found),
        counts=array("I", [len(each.rows) for each in found]),
        directory_modes=array("I", [each.st_mode for each in statuses]),
        directory_devices=array("Q", [each.st_dev for each in statuses]),
        directory_inodes=array("Q", [each.st_ino for each in statuses]),
        directory_mtimes=array("q", [each.st_mtime_ns for each in statuses]),
        directory_ctimes=array("q", [each.st_ctime_ns if each.st_ctime_ns < too_young else 0 for each in statuses]),
        names=tuple(row.path.rpartition("/")[2] for row in rows),
        modes=array("I", [row.mode for row in rows]),
        devices=array("Q", [row.device for row in rows]),
        inodes=array("Q", [row.inode for row in rows]),
        sizes=array("Q", [row.size for row in rows]),
        mtimes=array("q", [row.mtime_ns for row in rows]),
        ctimes=array("q", [row.ctime_ns if row.ctime_ns < too_young else 0 for row in rows]),
        contents=b"".join(content_of(row) for row in rows),
        targets={number: row.target for number, row in enumerate(rows) if row.type == "symlink"},
    )


def plain_columns(inventory: Inventory) -> dict[str, Any]:
    """Return an inventory's columns as they are kept: what is text joined, numbers as bytes (fewer objects to load)."""
    found: dict[str, Any] = {}
    for name in inventory.__slots__:
        value = getattr(inventory, name)
        found[name] = (
            value.tobytes() if isinstance(value, array) else _BETWEEN.join(value) if name in _JOINED else value
        )
    return found


_JOINED = ("directories", "names")
_BETWEEN = "\0"  # in no path
_CODES = {
    "counts": "I",
    "directory_modes": "I",
    "directory_devices": "Q",
    "directory_inodes": "Q",
    "directory_mtimes": "q",
    "directory_ctimes": "q",
    "modes": "I",
    "devices": "Q",
    "inodes": "Q",
    "sizes": "Q",
    "mtimes": "q",
    "ctimes": "q",
}
