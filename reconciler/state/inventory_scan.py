"""Takes the inventory of a generation's venv: every entry as it is, no link followed, each inode hashed once."""

import hashlib
import os
import stat
import time
from array import array
from itertools import chain
from pathlib import Path

from reconciler.errors import StateError
from reconciler.state.inode_hashes import TICK_NS, InodeHashes
from reconciler.state.inventory import Inventory

IGNORED_AT_TOP = frozenset({".lock"})  # uv's own lock file: made and left behind by any uv command
_MOST_LOOKS = 3
_TYPE = 0o170000  # S_IFMT


def take_inventory(venv: Path, inodes: InodeHashes, *, quiet_since: int | None = None) -> Inventory:
    """Return the inventory of a venv; raises StateError where it cannot be read.

    It begins one tick of the clock after `quiet_since` (nanoseconds; now, where nobody knows), when the venv was last
    written to, and looks again where an entry is as young as that: a change made in the same tick could not be told
    from no change (git's racy rule). What still is after a few looks is recorded without its ctime, and so settled by
    hash later on. Files that builds beside this one link meanwhile are recorded so at once: whoever linked them last
    looks at them again.
    """
    quiet = time.time_ns() if quiet_since is None else quiet_since
    try:
        started = a_tick_after(quiet)
        taken = _Taken(str(venv), inodes)
        for _ in range(_MOST_LOOKS - 1):
            quiet = time.time_ns()
            if not taken.has_ctime_between(started - TICK_NS, quiet + TICK_NS):
                break
            young = started - TICK_NS
            started = a_tick_after(quiet)
            taken = taken.looked_again(young)
    except OSError as error:
        raise StateError(f"the inventory of {venv} could not be taken: {error}") from error
    return taken.inventory(too_young=started - TICK_NS)


def a_tick_after(moment: int) -> int:
    """Wait for the clock's next tick after a moment; return what time it is then (both in nanoseconds)."""
    time.sleep(min(max(moment + TICK_NS - time.time_ns(), 0), TICK_NS) / 1e9)
    return time.time_ns()


class _Taken:
    """What a walk has found, as columns; a venv has thousands of files, and an object each would show."""

    def __init__(self, top: str, inodes: InodeHashes) -> None:
        self._top = top
        self._inodes = inodes
        self._directories: list[str] = []
        self._above: list[os.stat_result] = []
        self._counts: list[int] = []
        self._names: list[str] = []
        self._paths: list[str] = []
        self._statuses: list[os.stat_result] = []
        self._contents: list[bytes] = []
        self._targets: dict[int, str] = {}
        self._linked: dict[tuple[int, int], os.stat_result] = {}  # what our own links moved, and nothing else
        self._unlinked: list[int] = []  # positions of all the rest
        self._walk()

    def _walk(self) -> None:
        """Take every directory, each with its entries that are no directories, sorted; parents before children."""
        top, linking = self._top, self._inodes.linking
        pending = [("", os.lstat(top))]
        while pending:
            directory, status = pending.pop()
            within = f"{directory}/" if directory else ""
            self._directories.append(directory)
            self._above.append(status)
            before = len(self._names)
            below = []
            for name, status in _entries(f"{top}/{directory}" if directory else top):
                mode = status.st_mode
                if mode & _TYPE == stat.S_IFDIR:
                    below.append((within + name, status))
                    continue
                if not directory and name in IGNORED_AT_TOP:
                    continue
                inode = (status.st_dev, status.st_ino)
                seen = linking.get(inode)
                if seen is not None and seen[0] == status.st_size and seen[1] == status.st_mtime_ns:
                    content = seen[2] + (b"x" if mode & 0o111 else b"-")
                    self._linked[inode] = status
                else:
                    self._unlinked.append(len(self._names))
                    content = self._content(len(self._names), f"{top}/{within}{name}", status)
                self._names.append(name)
                self._paths.append(within + name)
                self._statuses.append(status)
                self._contents.append(content)
            self._counts.append(len(self._names) - before)
            pending.extend(reversed(below))
        self._ctimes = [each.st_ctime_ns for each in self._statuses]
        self._ctimes_above = [each.st_ctime_ns for each in self._above]

    def looked_again(self, young: int) -> "_Taken":
        """Take those entries once more that were touched at `young` (nanoseconds) or later; all, if a directory was."""
        if max(self._ctimes_above) >= young:
            return _Taken(self._top, self._inodes)
        for number in self._unlinked:
            if self._ctimes[number] >= young:
                place = f"{self._top}/{self._paths[number]}"
                self._statuses[number] = status = os.lstat(place)
                self._ctimes[number] = status.st_ctime_ns
                self._contents[number] = self._content(number, place, status)
        return self

    def _content(self, number: int, place: str, status: os.stat_result) -> bytes:
        """Return what an entry holds, as an inventory has it."""
        mode = status.st_mode
        if stat.S_ISREG(mode):
            # What nothing shares is met here alone; bytecode will be shared: the next generation takes it over.
            shared = status.st_nlink > 1 or place.endswith(".pyc")
            sha256 = self._inodes.digest_of(place, status, remember=shared)
            return sha256 + (b"x" if mode & 0o111 else b"-")
        if stat.S_ISLNK(mode):
            target = self._targets[number] = os.readlink(place)  # noqa: PTH115  # the text itself, not a Path
            return hashlib.sha256(os.fsencode(target)).digest() + b"l"
        return bytes(32) + b"o"

    def has_ctime_between(self, first: int, last: int) -> bool:
        """Say whether anything but what our own links moved was touched from `first` to `last` (nanoseconds)."""
        unlinked = map(self._ctimes.__getitem__, self._unlinked)
        return any(first <= each <= last for each in chain(unlinked, self._ctimes_above))

    def inventory(self, *, too_young: int) -> Inventory:
        """Return it all; a ctime of `too_young` (nanoseconds) or later tells nothing and is left out."""
        above, own = self._above, self._statuses
        if max(self._ctimes, default=0) >= too_young:
            self._linked = {key: each for key, each in self._linked.items() if each.st_ctime_ns < too_young}
        self._inodes.remember_linked(self._linked)
        return Inventory(
            digest=self._digest(),
            directories=tuple(self._directories),
            counts=array("I", self._counts),
            directory_modes=array("I", [each.st_mode for each in above]),
            directory_devices=array("Q", [each.st_dev for each in above]),
            directory_inodes=array("Q", [each.st_ino for each in above]),
            directory_mtimes=array("q", [each.st_mtime_ns for each in above]),
            directory_ctimes=_settled(self._ctimes_above, too_young),
            names=tuple(self._names),
            modes=array("I", [each.st_mode for each in own]),
            devices=array("Q", [each.st_dev for each in own]),
            inodes=array("Q", [each.st_ino for each in own]),
            sizes=array("Q", [each.st_size for each in own]),
            mtimes=array("q", [each.st_mtime_ns for each in own]),
            ctimes=_settled(self._ctimes, too_young),
            contents=b"".join(self._contents),
            targets=self._targets,
        )

    def _digest(self) -> str:
        """Return `sha256:` and the digest of what entries contain: path, type, executable bit, SHA-256 or target."""
        lines = [f"{path}\0directory\x000\0\n" for path in self._directories if path]
        contents = b"".join(self._contents).hex()  # of all at once: 66 digits each
        for number, (path, content) in enumerate(zip(self._paths, self._contents, strict=True)):
            match content[32]:
                case 0x78 | 0x2D as runs:  # x or -
                    lines.append(f"{path}\0file\0{runs == 0x78:d}\0{contents[66 * number : 66 * number + 64]}\n")
                case 0x6C:  # l
                    lines.append(f"{path}\0symlink\x000\0{self._targets[number]}\n")
                case _:
                    lines.append(f"{path}\0other\x000\0\n")
        lines.sort()  # by path: what ends one sorts before all that can go on
        text = "".join(lines)
        return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _entries(directory: str) -> list[tuple[str, os.stat_result]]:
    """Return a directory's entries, sorted by name, with the lstat of each; from within it, where paths are short."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return [
            (name, os.stat(name, dir_fd=descriptor, follow_symlinks=False)) for name in sorted(os.listdir(descriptor))
        ]
    finally:
        os.close(descriptor)


def _settled(ctimes: list[int], too_young: int) -> "array[int]":
    """Return ctimes as a column, without those that tell nothing."""
    if max(ctimes, default=0) < too_young:
        return array("q", ctimes)
    return array("q", [each if each < too_young else 0 for each in ctimes])
