"""Hashes of files remembered by inode, so that a file that many environments share is read once.

A hash is believed only while device, inode, size, mtime and ctime are what they were when it was taken (as git's
index does, and by git's racy rule not where ctime was within a tick of that moment). The cache may be lost.

An apply links files itself, which moves their ctime and nothing else. So from `begin_linking` on, what was seen to hold
its content since then is believed while size and mtime stay: an edit in those seconds that also puts the mtime back is
found at depth `hashes` alone.
"""

import hashlib
import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from reconciler.fs.atomic_write import write_atomic
from reconciler.state.marshal_file import dump_marshalled, load_marshalled

TICK_NS = 20_000_000  # the coarsest clock that stamps files on our systems ticks at 100 Hz; twice that
_MOST_ENTRIES = 1_000_000

Signature: TypeAlias = tuple[int, int, int]  # size, mtime_ns, ctime_ns
Look: TypeAlias = tuple[int, int, int, int]  # st_mode, size, mtime_ns, ctime_ns


class InodeHashes:
    """SHA-256 by inode, and what one pass over the environments has already looked at.

    One instance serves one run; `begin_pass` makes it look again. `looked` maps (device, inode) to its lstat, for
    observers whose directories show that a name still leads to that inode; `held` maps it to what a file of that lstat
    was found to hold (33 bytes, as an inventory has it). `as_remembered` are the environments of which neither was
    asked: all their files are as is remembered of them.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known: dict[tuple[int, int], tuple[int, int, int, bytes]] | None = None if path else {}
        self._used: set[tuple[int, int]] = set()
        self._changed = False
        self._read: dict[tuple[int, int], tuple[Signature, bytes]] = {}
        self._linking: dict[tuple[int, int], tuple[int, int, bytes]] | None = None
        self._moved: dict[tuple[int, int], os.stat_result] = {}
        self.as_remembered: set[str] = set()
        self.looked: dict[tuple[int, int], Look] = {}
        self.held: dict[tuple[int, int], tuple[Look, bytes]] = {}

    @classmethod
    def load(cls, path: Path) -> "InodeHashes":
        """Return the cache kept at `path`, read at the first need; missing or damaged is empty."""
        return cls(path)

    def save(self) -> None:
        """Write the cache back if it changed; a root that may only be read is no fault."""
        self._take_moved()
        if self._path is None or not self._changed or self._known is None:
            return
        known = self._known
        if len(known) > _MOST_ENTRIES:
            known = {key: value for key, value in known.items() if key in self._used}
        flat = [(*key, *value) for key, value in known.items()]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, dump_marshalled("inodes", flat), flush=False)
        except OSError:
            return
        self._changed = False

    def _take_moved(self) -> None:
        """Remember where our own links moved the ctimes of what `remember_linked` was given."""
        if not self._moved:
            return
        linking, known = self.linking, self._load()
        for key, status in self._moved.items():
            size, mtime, sha256 = linking[key]
            if (size, mtime) == (status.st_size, status.st_mtime_ns):  # else it was read again since
                known[key] = (size, mtime, status.st_ctime_ns, sha256)
        self._used.update(self._moved)
        self._changed = True
        self._moved.clear()

    def begin_pass(self) -> None:
        """Forget what was looked at and read in this run, not what is known: the disk may have moved since."""
        self.as_remembered.clear()
        self.looked.clear()
        self.held.clear()
        self._read.clear()

    def begin_linking(self) -> None:
        """Believe, from now on, that a ctime that moves alone was moved by our own links; the root's lock must be held.

        Begun with what this pass has looked at, and gone on with whatever is read after.
        """
        self._take_moved()
        known = self._load()
        self._linking = {
            key: (look[1], look[2], entry[3])
            for key, look in self.looked.items()
            if (entry := known.get(key)) is not None and entry[:3] == look[1:]
        }
        self._used.update(self._linking)

    @property
    def linking(self) -> Mapping[tuple[int, int], tuple[int, int, bytes]]:
        """Return what was seen to hold its content since `begin_linking`: size, mtime, SHA-256 (32 bytes) by inode."""
        return self._linking or {}

    def remember_linked(self, statuses: Mapping[tuple[int, int], os.stat_result]) -> None:
        """Remember, at the next `save`, where our own links moved the ctimes of files that hold what `linking` says.

        None of them may be so young that its ctime would not tell a later change.
        """
        self._moved.update(statuses)  # again by each environment that has them: the last one counts

    def known(self, device: int, inode: int, signature: Signature) -> bytes | None:
        """Return the remembered SHA-256 (32 bytes) of an inode, None where its signature is another one now."""
        key = (device, inode)
        entry = self._load().get(key)
        if entry is None or entry[:3] != signature:
            return None
        self._used.add(key)
        return entry[3]

    def remember(self, status: os.stat_result, sha256: bytes) -> None:
        """Remember a file's SHA-256 (32 bytes), unless it is too young for its ctime to tell a later change."""
        if not _settled(status):
            return
        key = (status.st_dev, status.st_ino)
        self._load()[key] = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, sha256)
        self._used.add(key)
        self._changed = True

    def sha256_of(self, path: str | Path, status: os.stat_result) -> str:
        """Return a regular file's SHA-256, hexadecimal; see `digest_of`."""
        return self.digest_of(path, status).hex()

    def digest_of(self, path: str | Path, status: os.stat_result, *, remember: bool = True) -> bytes:
        """Return a regular file's SHA-256 (32 bytes); reads it only where `status` (its lstat) is not known.

        Remembers what it read unless told not to. Raises OSError where it cannot be read, or is no regular file now.
        """
        key = (status.st_dev, status.st_ino)
        size, mtime = status.st_size, status.st_mtime_ns
        entry = (self._load() if self._known is None else self._known).get(key)
        if entry is not None and entry[:3] == (size, mtime, status.st_ctime_ns):
            self._used.add(key)
            if self._linking is not None:
                self._linking[key] = (size, mtime, entry[3])
            return entry[3]
        if self._linking is not None:  # no more than the ctime moved since then?
            seen = self._linking.get(key)
            if seen is not None and seen[0] == size and seen[1] == mtime:
                self.remember(status, seen[2])
                return seen[2]
        return bytes.fromhex(self.sha256_read(path, status) if remember else hash_file(path)[1])

    def seen_whole(self, status: os.stat_result) -> bool:
        """Say whether a file was seen, since `begin_linking`, to hold what is remembered of it."""
        entry = self._linking.get((status.st_dev, status.st_ino)) if self._linking is not None else None
        return entry is not None and entry[:2] == (status.st_size, status.st_mtime_ns)

    def sha256_read(self, path: str | Path, status: os.stat_result) -> str:
        """Return a regular file's SHA-256, hexadecimal, of bytes read in this pass whatever is remembered."""
        key = (status.st_dev, status.st_ino)
        signature = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        read = self._read.get(key)
        if read is not None and read[0] == signature:
            return read[1].hex()
        before, sha256, after = hash_file(path)
        if _same(before, after) and _settled(after):
            signature = (after.st_size, after.st_mtime_ns, after.st_ctime_ns)
            self._read[after.st_dev, after.st_ino] = (signature, bytes.fromhex(sha256))
            self.remember(after, bytes.fromhex(sha256))
        if self._linking is not None and _same(before, after):
            key = (after.st_dev, after.st_ino)
            self._linking[key] = (after.st_size, after.st_mtime_ns, bytes.fromhex(sha256))
        return sha256

    def _load(self) -> dict[tuple[int, int], tuple[int, int, int, bytes]]:
        if self._known is None:
            self._known = {}
            if self._path is not None:
                try:
                    flat = load_marshalled("inodes", self._path.read_bytes())
                    self._known = {(row[0], row[1]): (row[2], row[3], row[4], row[5]) for row in flat}
                except (OSError, ValueError, TypeError, IndexError):
                    self._known = {}
        return self._known


def hash_file(path: str | Path) -> tuple[os.stat_result, str, os.stat_result]:
    """Return a regular file's status before, its SHA-256 (hexadecimal), and its status after; never follows a link."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123  # a descriptor, opened without following
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise OSError(f"{path} is no regular file")
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return before, sha256, os.fstat(descriptor)


def _settled(status: os.stat_result) -> bool:
    """Return whether a later change must move the ctime; one from the future (a clock set back) tells as well."""
    return abs(time.time_ns() - status.st_ctime_ns) >= TICK_NS


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_size, one.st_mtime_ns, one.st_ctime_ns) == (other.st_size, other.st_mtime_ns, other.st_ctime_ns)
