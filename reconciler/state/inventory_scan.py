"""Takes the inventory of a generation's venv: each entry as it is, without following links, each inode hashed once."""

import hashlib
import os
import stat
import time
from array import array
from itertools import chain
from pathlib import Path

from reconciler.errors import StateError
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.state.inode_hashes import TICK_NS, InodeHashes
from reconciler.state.inventory import Inventory

IGNORED_AT_TOP = frozenset({".lock"})  # uv's lock file, which every uv command leaves
_MOST_SCANS = 3
_TYPE = 0o170000  # S_IFMT


def take_inventory(venv: Path, inodes: InodeHashes, *, quiet_since: int | None = None) -> Inventory:
    """Return the inventory of a venv; raises StateError if the venv cannot be read.

    `quiet_since` is when the venv was last written to (nanoseconds; default: now). The scan begins one tick of the
    clock later. It scans entries with a younger ctime again, because a later change in the same tick could not be
    noticed. An entry that is still too young after a few scans is recorded without its ctime, so that it will be
    compared by hash. Files that other builds link at the same time are recorded like this at once; the build that
    linked a file last scans it again.
    """
    quiet = time.time_ns() if quiet_since is None else quiet_since
    try:
        started = wait_for_clock_tick(quiet)
        scan = _Scan(str(venv), inodes)
        for _ in range(_MOST_SCANS - 1):
            quiet = time.time_ns()
            if not scan.has_ctime_between(started - TICK_NS, quiet + TICK_NS):
                break
            young = started - TICK_NS
            started = wait_for_clock_tick(quiet)
            scan = scan.scanned_again(young)
    except OSError as error:
        raise StateError(f"the inventory of `{venv}` could not be taken: {error}", hint=os_error_hint(error)) from error
    return scan.inventory(too_young=started - TICK_NS)


def wait_for_clock_tick(moment: int) -> int:
    """Wait for the clock's next tick after `moment` and return the current time (both in nanoseconds)."""
    time.sleep(min(max(moment + TICK_NS - time.time_ns(), 0), TICK_NS) / 1e9)
    return time.time_ns()


class _Scan:
    """The entries that a scan found, in columns: a venv has thousands, and an object for each would be slow."""

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
        self._linked: dict[tuple[int, int], os.stat_result] = {}  # inodes that changed only by our own links
        self._unlinked: list[int] = []  # positions of all other entries
        self._walk()

    def _walk(self) -> None:
        """Add every directory with its other entries, sorted by name; parents come before children."""
        top, seen_contents = self._top, self._inodes.seen_contents
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
                seen = seen_contents.get(inode)
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

    def scanned_again(self, young: int) -> "_Scan":
        """Scan again the entries with a ctime of `young` (nanoseconds) or later; all, if a directory has one."""
        if max(self._ctimes_above) >= young:
            return _Scan(self._top, self._inodes)
        for number in self._unlinked:
            if self._ctimes[number] >= young:
                place = f"{self._top}/{self._paths[number]}"
                self._statuses[number] = status = os.lstat(place)
                self._ctimes[number] = status.st_ctime_ns
                self._contents[number] = self._content(number, place, status)
        return self

    def _content(self, number: int, place: str, status: os.stat_result) -> bytes:
        """Return what an entry contains, as in `Inventory.contents`."""
        mode = status.st_mode
        if stat.S_ISREG(mode):
            # A file without other links is read only here. Bytecode will get links: the next generation reuses it.
            shared = status.st_nlink > 1 or place.endswith(".pyc")
            sha256 = self._inodes.sha256_bytes(place, status, remember=shared)
            return sha256 + (b"x" if mode & 0o111 else b"-")
        if stat.S_ISLNK(mode):
            target = self._targets[number] = os.readlink(place)  # noqa: PTH115  # the text itself, not a Path
            return hashlib.sha256(os.fsencode(target)).digest() + b"l"
        return bytes(32) + b"o"

    def has_ctime_between(self, first: int, last: int) -> bool:
        """Return whether an entry changed from `first` to `last` (nanoseconds), not counting our own links."""
        unlinked = map(self._ctimes.__getitem__, self._unlinked)
        return any(first <= each <= last for each in chain(unlinked, self._ctimes_above))

    def inventory(self, *, too_young: int) -> Inventory:
        """Return the inventory, without ctimes of `too_young` (nanoseconds) or later, which prove nothing."""
        above, own = self._above, self._statuses
        self._inodes.remember_links({key: each for key, each in self._linked.items() if each.st_ctime_ns < too_young})
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
        """Return `sha256:` and the digest of the entries: path, type, executable bit, SHA-256 or target."""
        lines = [f"{path}\0directory\x000\0\n" for path in self._directories if path]
        contents = b"".join(self._contents).hex()  # converted at once; 66 digits for each entry
        for number, (path, content) in enumerate(zip(self._paths, self._contents, strict=True)):
            match content[32]:
                case 0x78 | 0x2D as letter:  # x or -
                    lines.append(f"{path}\0file\0{letter == 0x78:d}\0{contents[66 * number : 66 * number + 64]}\n")
                case 0x6C:  # l
                    lines.append(f"{path}\0symlink\x000\0{self._targets[number]}\n")
                case _:
                    lines.append(f"{path}\0other\x000\0\n")
        lines.sort()  # by path: NUL sorts before all characters of a path
        text = "".join(lines)
        return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _entries(directory: str) -> list[tuple[str, os.stat_result]]:
    """Return a directory's entries and their lstat, sorted by name; short paths relative to it are faster."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return [
            (name, os.stat(name, dir_fd=descriptor, follow_symlinks=False)) for name in sorted(os.listdir(descriptor))
        ]
    finally:
        os.close(descriptor)


def _settled(ctimes: list[int], too_young: int) -> "array[int]":
    """Return ctimes as a column, with 0 in place of those that are too young."""
    return array("q", [each if each < too_young else 0 for each in ctimes])
