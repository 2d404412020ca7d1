"""Takes the inventory of a generation's venv: every entry as it is, no link followed, each inode hashed once."""

import hashlib
import os
import stat
import time
from array import array
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.errors import StateError
from reconciler.state.entries import Inventory
from reconciler.state.inodes import TICK_NS, InodeHashes

IGNORED_AT_TOP = frozenset({".lock"})  # uv's own lock file: made and left behind by any uv command
_MOST_LOOKS = 3


def take_inventory(venv: Path, inodes: InodeHashes, *, quiet_since: int | None = None) -> Inventory:
    """Return the inventory of a venv; raises StateError where it cannot be read.

    It begins one tick of the clock after `quiet_since` (nanoseconds; now, where nobody knows), when the venv was last
    written to, and looks again where an entry is as young as that: a change made in the same tick could not be told
    from no change (git's racy rule). Builds beside this one that link the same cached files keep some of them young;
    what still is after a few looks is recorded without its ctime, and so settled by hash later on.
    """
    quiet = time.time_ns() if quiet_since is None else quiet_since
    try:
        for _ in range(_MOST_LOOKS):
            time.sleep(min(max(quiet + TICK_NS - time.time_ns(), 0), TICK_NS) / 1e9)
            started = time.time_ns()
            taken = _Taken(str(venv), inodes)
            taken.walk("")
            quiet = time.time_ns()
            if not taken.has_ctime_between(started - TICK_NS, quiet + TICK_NS):
                break
    except OSError as error:
        raise StateError(f"the inventory of {venv} could not be taken: {error}") from error
    return taken.inventory(too_young=started - TICK_NS)


@dataclass(slots=True)
class _Taken:
    """What a walk has found so far, as columns; a venv has thousands of files, and an object each would show."""

    top: str
    inodes: InodeHashes
    directories: list[tuple[str, os.stat_result]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    statuses: list[os.stat_result] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    targets: dict[int, str] = field(default_factory=dict)
    lines: list[tuple[str, str]] = field(default_factory=list)  # of the digest, by path

    def walk(self, directory: str) -> None:
        """Take a directory and all below it, each with its entries that are no directories, sorted."""
        place = f"{self.top}/{directory}" if directory else self.top
        self.directories.append((directory, os.lstat(place)))
        if directory:
            self.lines.append((directory, "directory\x000\0"))
        below, own = [], []
        with os.scandir(place) as listing:
            for entry in listing:
                if entry.is_dir(follow_symlinks=False):
                    below.append(entry.name)
                elif directory or entry.name not in IGNORED_AT_TOP:
                    own.append(entry.name)
        own.sort()
        below.sort()
        self.counts.append(len(own))
        within = f"{directory}/" if directory else ""
        for name in own:
            self._take(within + name, name, f"{place}/{name}")
        for name in below:
            self.walk(within + name)

    def _take(self, path: str, name: str, place: str) -> None:
        status = os.lstat(place)
        mode = status.st_mode
        if stat.S_ISREG(mode):
            sha256 = self.inodes.digest_of(place, status)
            runs = bool(mode & 0o111)
            self.contents.append(sha256 + (b"x" if runs else b"-"))
            self.lines.append((path, f"file\0{runs:d}\0{sha256.hex()}"))
        elif stat.S_ISLNK(mode):
            target = os.readlink(place)  # noqa: PTH115  # the text itself, not a Path
            self.targets[len(self.names)] = target
            self.contents.append(hashlib.sha256(os.fsencode(target)).digest() + b"l")
            self.lines.append((path, f"symlink\x000\0{target}"))
        else:
            self.contents.append(bytes(32) + b"o")
            self.lines.append((path, "other\x000\0"))
        self.names.append(name)
        self.statuses.append(status)

    def has_ctime_between(self, first: int, last: int) -> bool:
        """Say whether anything was touched from `first` to `last` (nanoseconds)."""
        found = any(first <= each.st_ctime_ns <= last for each in self.statuses)
        return found or any(first <= each.st_ctime_ns <= last for _, each in self.directories)

    def inventory(self, *, too_young: int) -> Inventory:
        """Return it all; a ctime of `too_young` (nanoseconds) or later tells nothing and is left out."""
        above = [status for _, status in self.directories]
        own = self.statuses
        return Inventory(
            digest=self._digest(),
            directories=tuple(path for path, _ in self.directories),
            counts=array("I", self.counts),
            directory_modes=array("I", [each.st_mode for each in above]),
            directory_devices=array("Q", [each.st_dev for each in above]),
            directory_inodes=array("Q", [each.st_ino for each in above]),
            directory_mtimes=array("q", [each.st_mtime_ns for each in above]),
            directory_ctimes=array("q", [each.st_ctime_ns if each.st_ctime_ns < too_young else 0 for each in above]),
            names=tuple(self.names),
            modes=array("I", [each.st_mode for each in own]),
            devices=array("Q", [each.st_dev for each in own]),
            inodes=array("Q", [each.st_ino for each in own]),
            sizes=array("Q", [each.st_size for each in own]),
            mtimes=array("q", [each.st_mtime_ns for each in own]),
            ctimes=array("q", [each.st_ctime_ns if each.st_ctime_ns < too_young else 0 for each in own]),
            contents=b"".join(self.contents),
            targets=self.targets,
        )

    def _digest(self) -> str:
        """Return `sha256:` and the digest of what entries contain: path, type, executable bit, SHA-256 or target."""
        self.lines.sort()
        text = "".join(f"{path}\0{content}\n" for path, content in self.lines)
        return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
