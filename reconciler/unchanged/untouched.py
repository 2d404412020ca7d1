"""Says whether a generation is as it was sealed, by the signatures in its inventory (design, section 6).

A directory whose inode, mtime and ctime did not move has the same entries: each of its names leads to the inode that
was recorded. An inode is looked at once a pass; what it holds is then known for every environment that has it.
"""

from __future__ import annotations

import os
import stat
from itertools import islice

from reconciler.state.marshalled import load_marshalled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, Literal

    Columns = Mapping[str, Any]  # an inventory's, as `marshalled` keeps them
    Listed = Mapping[str, tuple[int, int]]

_TYPE = 0o170000  # S_IFMT


class Pass:
    """One pass over the environments below a root: what each inode was found to hold, by device.

    Content is the SHA-256 of a file (32 bytes) and whether it may be executed (`x` or `-`).
    """

    def __init__(self, hashes: str) -> None:
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
        return _directories_unmoved(columns, directories, device, listed, share) and _entries_held(
            columns, directories, looking, looking.seen.setdefault(device, {}), share
        )
    except OSError:
        return False


def _one_device(columns: Columns) -> int | None:
    """Return the device that everything lies on, None where it is more than one."""
    devices, of_directories = columns["devices"], columns["directory_devices"]
    first = of_directories[:8]
    if of_directories != first * (len(of_directories) // 8) or devices != first * (len(devices) // 8):
        return None
    return _numbers(first)[0]


def _directories_unmoved(
    columns: Columns, directories: list[str], device: int, listed: Listed, share: tuple[int, int]
) -> bool:
    """Say whether every directory is the one that was recorded, with the same entries. Raises OSError.

    Whatever moves a directory's mtime moves its ctime as well, which nobody can put back.
    """
    lstat = os.lstat
    rows = zip(directories, _numbers(columns["directory_inodes"]), _numbers(columns["directory_ctimes"]), strict=True)
    for path, inode, ctime in islice(rows, share[0], None, share[1]):
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


def _entries_held(
    columns: Columns, directories: list[str], looking: Pass, seen: dict[int, bytes], share: tuple[int, int]
) -> bool:
    """Say whether every entry holds what is recorded, looking at those whose inode was not seen in this pass.

    Its directory did not move: the name leads to the inode that was recorded. Raises OSError.
    """
    recorded: bytes = columns["contents"]
    inodes = _numbers(columns["inodes"])
    held = list(map(seen.get, inodes))
    if None in held:
        ctimes = _numbers(columns["ctimes"])
        names = columns["names"].split("\0")
        lstat = os.lstat
        for place, number in _unseen(columns, directories, held, share):
            inode = inodes[number]
            content = recorded[33 * number : 33 * number + 33]
            holds = seen.get(inode)  # another name of it, a moment ago
            if holds is None:
                found = lstat(place + names[number])
                if found.st_ino != inode:
                    return False
                # Whatever is done to a file moves its ctime.
                holds = content if found.st_ctime_ns == ctimes[number] else _content(found, looking)
                if holds is not None:
                    seen[inode] = holds
            if holds != content:
                return False
            held[number] = holds
        if share[1] > 1:  # what nobody has seen is the other process's
            return all(
                each is None or each == recorded[33 * number : 33 * number + 33] for number, each in enumerate(held)
            )
    return bool(b"".join(held) == recorded)  # type: ignore[arg-type]  # none is None any more


def _unseen(
    columns: Columns, directories: list[str], held: list[bytes | None], share: tuple[int, int]
) -> Iterator[tuple[str, int]]:
    """Yield the place (a path that ends with a slash, or nothing) and the number of each entry to be looked at."""
    end = 0
    for number, (directory, count) in enumerate(zip(directories, _numbers(columns["counts"], "I"), strict=True)):
        start, end = end, end + count
        if count and number % share[1] == share[0] and None in held[start:end]:
            place = f"{directory}/" if directory else ""
            for entry in range(start, end):
                if held[entry] is None:
                    yield place, entry


def _content(status: os.stat_result, looking: Pass) -> bytes | None:
    """Return what a file whose signature moved holds, where that is remembered of just this signature."""
    if status.st_mode & _TYPE != stat.S_IFREG:
        return None
    sha256 = looking.known(status)
    return None if sha256 is None else sha256 + (b"x" if status.st_mode & 0o111 else b"-")


def _numbers(column: bytes, kind: Literal["Q", "I"] = "Q") -> list[int]:
    """Return a column of an inventory as numbers; `kind` is its type code (array module)."""
    return memoryview(column).cast(kind).tolist()
