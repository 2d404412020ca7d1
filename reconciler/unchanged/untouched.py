"""Says whether a generation is as it was sealed, by the signatures in its inventory (design, section 6).

A directory whose inode, mtime and ctime did not move has the same entries: each of its names leads to the inode that
was recorded. An inode is looked at once a pass; what it holds is then known for every environment that has it.
"""

from __future__ import annotations

import os
import stat
from bisect import bisect_right
from itertools import accumulate, islice

from reconciler.state.marshalled import load_marshalled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    Columns = Mapping[str, Any]  # an inventory's, as `marshalled` keeps them
    Listed = Mapping[str, tuple[int, int]]

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
        self.seen: dict[int, dict[int, bytes]] = {}

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


def untouched(venv: str, columns: Columns, looking: Pass, listed: Listed, share: tuple[int, int] = (0, 1)) -> bool:
    """Say whether everything that an inventory's columns list is as it was, and nothing was added beside it.

    `listed` are directories (by relative path) that moved or were made since, with the mtime and ctime (nanoseconds) at
    which a full look found nothing wrong in them. Of `share` (number, of how many) only that part is looked at: other
    processes look at the rest. A doubt is a no: the full look then tells. Leaves this process in `venv`, from where
    paths are short and so looked up faster.
    """
    device = _one_device(columns)
    if device is None:
        return False
    try:
        os.chdir(venv)
        directories = columns["directories"].split("\0")
        counts = _numbers(columns["counts"], kind="I")
        part = _part(counts, share)
        return _directories_unmoved(columns, directories, part, device, listed) and _entries_held(
            columns, list(zip(directories[part], counts[part], strict=True)), sum(counts[: part.start]), looking, device
        )
    except OSError:
        return False


def _part(counts: list[int], share: tuple[int, int]) -> slice:
    """Return which directories a share has: as many directories and entries together as the others."""
    number, of = share
    ends = list(accumulate(each + 1 for each in counts))
    return slice(*(bisect_right(ends, ends[-1] * cut // of) for cut in (number, number + 1)))


def _one_device(columns: Columns) -> int | None:
    """Return the device that everything lies on, None where it is more than one."""
    devices, of_directories = columns["devices"], columns["directory_devices"]
    first = of_directories[:8]
    if of_directories != first * (len(of_directories) // 8) or devices != first * (len(devices) // 8):
        return None
    return _numbers(first)[0]


def _directories_unmoved(columns: Columns, directories: list[str], part: slice, device: int, listed: Listed) -> bool:
    """Say whether every directory of a part is the one that was recorded, with the same entries. Raises OSError.

    Whatever moves a directory's mtime moves its ctime as well, which nobody can put back.
    """
    lstat = os.lstat
    inodes = _numbers(columns["directory_inodes"], part)
    ctimes = _numbers(columns["directory_ctimes"], part)
    for path, inode, ctime in zip(directories[part], inodes, ctimes, strict=True):
        found = lstat(path or ".")
        if found.st_ino != inode or found.st_dev != device:
            return False
        if found.st_ctime_ns != ctime and listed.get(path) != (found.st_mtime_ns, found.st_ctime_ns):
            return False
    for path in listed.keys() - directories if listed else ():  # made since, as `__pycache__` is by an import
        found = lstat(path)
        if listed[path] != (found.st_mtime_ns, found.st_ctime_ns):
            return False
    return True


def _entries_held(columns: Columns, directories: list[tuple[str, int]], start: int, looking: Pass, device: int) -> bool:
    """Say whether every entry of some directories (path, count) holds what is recorded from number `start` on.

    Its directory did not move: the name leads to the inode that was recorded. One whose inode was seen in this pass
    is not looked at. Raises OSError.
    """
    part = slice(start, start + sum(count for _, count in directories))
    seen = looking.seen.setdefault(device, {})
    recorded: bytes = columns["contents"][_CONTENT * part.start : _CONTENT * part.stop]
    inodes = _numbers(columns["inodes"], part)
    held = list(map(seen.get, inodes))
    if None not in held:
        return b"".join(held) == recorded  # type: ignore[arg-type]  # none is None
    ctimes = _numbers(columns["ctimes"], part)
    rows = enumerate(zip(columns["names"].split("\0")[part], inodes, ctimes, held, strict=True))
    lstat, others = os.lstat, looking.others
    for directory, count in directories:
        place = f"{directory}/" if directory else ""
        for entry, (name, inode, ctime, known) in islice(rows, count):
            if known is None:
                found = lstat(place + name)
                if found.st_ino != inode:
                    return False
                moved = found.st_ctime_ns != ctime  # whatever is done to a file moves it
                if moved and _content(found, looking) != recorded[_CONTENT * entry : _CONTENT * entry + _CONTENT]:
                    return False
                if others and found.st_nlink > 1:
                    seen[inode] = recorded[_CONTENT * entry : _CONTENT * entry + _CONTENT]
            elif known != recorded[_CONTENT * entry : _CONTENT * entry + _CONTENT]:
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
