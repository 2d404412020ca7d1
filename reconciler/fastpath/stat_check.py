"""Says whether a generation is as it was sealed, by the signatures in its inventory (design, section 6).

A directory whose inode, mtime and ctime did not move has the same entries: each of its names leads to the inode that
was recorded. An inode is looked at once a pass; what it holds is then known for every environment that has it.
"""

from __future__ import annotations

import os
import stat
from itertools import accumulate, islice, repeat

from reconciler.fastpath.agreement import NEAR, SHARED
from reconciler.state.marshal_file import load_marshalled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, Literal

    Columns = Mapping[str, Any]  # an inventory's, as `marshalled` keeps them
    Listed = Mapping[str, tuple[int, int]]
    Near = tuple[str, list[tuple[str, int, int]]]  # ways to directories, joined, and from which stations
    _Row = tuple[int, str, int, int, bytes | None]

_TYPE = 0o170000  # S_IFMT
_CONTENT = 33  # bytes that say what an entry holds, and whether it may be executed
_ALL = slice(None)


class Pass:
    """One pass over the environments below a root: what each inode was found to hold, by device.

    Content is the SHA-256 of a file (32 bytes) and whether it may be executed (`x` or `-`). It is kept only where
    there are `others` that may share it.
    """

    def __init__(self, hashes: str, *, others: bool = True) -> None:
        self.others = others
        self._hashes_file = hashes
        self._known: dict[tuple[int, int], tuple[int, int, int, bytes]] | None = None
        self._ways: tuple[str, list[str]] = ("", [""])
        self.seen: dict[int, dict[int, bytes]] = {}
        self.settled: set[bytes] = set()  # what is shared (see `agreed.SHARED`), where all of it held

    def ways(self, joined: str) -> list[str]:
        """Return paths that are kept joined; environments of the same packages have the same."""
        if joined != self._ways[0]:
            self._ways = (joined, joined.split("\0"))
        return self._ways[1]

    def known(self, status: os.stat_result) -> bytes | None:
        """Return the SHA-256 remembered for an inode, None where its signature is another one now."""
        if self._known is None:
            try:
                with open(self._hashes_file, "rb") as file:  # noqa: PTH123  # no pathlib here
                    rows = load_marshalled("inodes", file.read())
                self._known = {(row[0], row[1]): (row[2], row[3], row[4], row[5]) for row in rows}
            except (OSError, ValueError, TypeError, IndexError):
                self._known = {}
        entry = self._known.get((status.st_dev, status.st_ino))
        if entry is None or entry[:3] != (status.st_size, status.st_mtime_ns, status.st_ctime_ns):
            return None
        return entry[3]


def files_untouched(
    venv: str,
    own: Columns,
    inventory: str,
    looking: Pass,
    listed: Listed,
    share: tuple[int, int] = (0, 1),
    *,
    enter: bool = False,
) -> bool:
    """Say whether every file of an environment is as it was, by its `own` columns (see `agreed`); as `untouched` does.

    What it shares is looked at once a pass, by the file of its `inventory`.
    """
    shared, columns = own[SHARED], own
    if shared and shared not in looking.settled:
        try:
            with open(inventory, "rb") as file:  # noqa: PTH123  # no pathlib here
                columns = load_marshalled("inventory", file.read())
        except (OSError, ValueError):
            return False
        looking.settled.add(shared)  # of this share; whatever is not so ends the look
    if untouched(venv, columns, looking, listed, share, own[NEAR], enter=enter):
        return True
    looking.settled.discard(shared)
    return False


def untouched(
    venv: str,
    columns: Columns,
    looking: Pass,
    listed: Listed,
    share: tuple[int, int] = (0, 1),
    near: Near | None = None,
    *,
    enter: bool = False,
) -> bool:
    """Say whether everything that an inventory's columns list is as it was, and nothing was added beside it.

    `listed` are directories (by relative path) that moved or were made since, with the mtime and ctime (nanoseconds) at
    which a full look found nothing wrong in them. Of `share` (number, of how many) only that part is looked at: other
    processes look at the rest. A doubt is a no: the full look then tells.

    `near` says from where paths are short, which are looked up in half the time if one is to `enter` there; this
    process is somewhere else then.
    """
    device = _one_device(columns)
    if device is None:
        return False
    counts = _numbers(columns["counts"], kind="I")
    joined, stations = near or (columns["directories"], [("", 0, len(counts))])
    ways = looking.ways(joined)
    part = _part(counts, share)
    inodes = _numbers(columns["directory_inodes"])
    ctimes = _numbers(columns["directory_ctimes"])
    rows = _rows(columns, counts, part, looking.seen.setdefault(device, {}))
    try:
        for station, start, stop in stations:
            here = slice(max(start, part.start), min(stop, part.stop))
            if here.start >= here.stop:
                continue
            place = f"{venv}/{station}/"
            if enter:
                os.chdir(place)
                place = ""
            if not _directories_unmoved(place, ways[here], inodes[here], ctimes[here], device, listed, station):
                return False
            if not _entries_held(place, ways[here], counts[here], rows, columns["contents"], looking, device):
                return False
        return not listed or _made_since_unmoved(venv, columns, listed)
    except OSError:
        return False


def _part(counts: list[int], share: tuple[int, int]) -> slice:
    """Return which directories a share has: as many directories and entries together as the others."""
    number, of = share
    if of == 1:
        return slice(0, len(counts))
    ends = list(accumulate(each + 1 for each in counts))
    start, stop = (sum(map((ends[-1] * cut // of).__ge__, ends)) for cut in (number, number + 1))
    return slice(start, stop)


def _one_device(columns: Columns) -> int | None:
    """Return the device that everything lies on, None where it is more than one."""
    devices, of_directories = columns["devices"], columns["directory_devices"]
    first = of_directories[:8]
    if of_directories != first * (len(of_directories) // 8) or devices != first * (len(devices) // 8):
        return None
    return _numbers(first)[0]


def _directories_unmoved(
    place: str, ways: list[str], inodes: list[int], ctimes: list[int], device: int, listed: Listed, station: str
) -> bool:
    """Say whether every one of some directories is the one that was recorded, with the same entries. Raises OSError.

    Whatever moves a directory's mtime moves its ctime as well, which nobody can put back.
    """
    lstat = os.lstat
    for way, inode, ctime in zip(ways, inodes, ctimes, strict=True):
        found = lstat(place + way or ".")
        if found.st_ino != inode or found.st_dev != device:
            return False
        if found.st_ctime_ns != ctime:
            path = f"{station}/{way}" if station and way else station or way
            if listed.get(path) != (found.st_mtime_ns, found.st_ctime_ns):
                return False
    return True


def _made_since_unmoved(venv: str, columns: Columns, listed: Listed) -> bool:
    """Say whether the directories that were made since, as `__pycache__` is by an import, are as they were listed."""
    recorded = f"\0{columns['directories']}\0"
    for path, seen in listed.items():
        if f"\0{path}\0" not in recorded:
            found = os.lstat(f"{venv}/{path}")
            if seen != (found.st_mtime_ns, found.st_ctime_ns):
                return False
    return True


def _rows(columns: Columns, counts: list[int], part: slice, seen: Mapping[int, bytes]) -> Iterator[_Row]:
    """Return the entries of a part of the directories: position, name, inode, ctime, what it was seen to hold."""
    start, after = sum(counts[: part.start]), sum(counts[part.stop :])
    stop = start + sum(counts[part])
    names = columns["names"]
    if start < stop:  # of what is joined only the part is taken apart
        names = names.rsplit("\0", after)[0] if after else names
        names = names.split("\0", start)[start].split("\0")
    here = slice(start, stop)
    inodes = _numbers(columns["inodes"], here)
    held = map(seen.get, inodes) if seen else repeat(None, stop - start)
    return zip(range(start, stop), names, inodes, _numbers(columns["ctimes"], here), held, strict=True)


def _entries_held(
    place: str, ways: list[str], counts: list[int], rows: Iterator[_Row], contents: bytes, looking: Pass, device: int
) -> bool:
    """Say whether the entries of some directories, the next of `rows`, hold what is recorded. Raises OSError.

    Their directories did not move: each name leads to the inode that was recorded. One whose inode was seen in this
    pass is not looked at.
    """
    lstat, others, seen = os.lstat, looking.others, looking.seen[device]
    for way, count in zip(ways, counts, strict=True):
        if not count:
            continue
        within = f"{place}{way}/" if way else place
        for entry, name, inode, ctime, held in islice(rows, count):
            if held is None:
                found = lstat(within + name)
                if found.st_ino != inode:
                    return False
                moved = found.st_ctime_ns != ctime  # whatever is done to a file moves it
                if moved and _content(found, looking) != contents[_CONTENT * entry : _CONTENT * entry + _CONTENT]:
                    return False
                if others and found.st_nlink > 1:
                    seen[inode] = contents[_CONTENT * entry : _CONTENT * entry + _CONTENT]
            elif held != contents[_CONTENT * entry : _CONTENT * entry + _CONTENT]:
                return False
    return True


def _content(status: os.stat_result, looking: Pass) -> bytes | None:
    """Return what a file whose signature moved holds, where that is remembered of just this signature."""
    if status.st_mode & _TYPE != stat.S_IFREG:
        return None
    sha256 = looking.known(status)
    return None if sha256 is None else sha256 + (b"x" if status.st_mode & 0o111 else b"-")


def _numbers(column: bytes, part: slice = _ALL, *, kind: Literal["Q", "I"] = "Q") -> list[int]:
    """Return a part of an inventory's column as numbers; `kind` is its type code (array module)."""
    return memoryview(column).cast(kind)[part].tolist()
