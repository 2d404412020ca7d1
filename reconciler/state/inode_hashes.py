"""Hashes of files by inode, so that a file that many environments share is read once.

A hash counts only while device, inode, size, mtime and ctime are the same as when the file was read, as in git's index.
As in git, a hash is not remembered if the ctime was within a tick of the clock: a later change in the same tick could
not be noticed. The cache may be lost.

An apply links files itself, which changes their ctime only. So after `begin_linking`, contents that were seen since
then also count if only size and mtime are the same. An edit in these seconds that also sets the mtime back is found at
depth `hashes` only.
"""

import errno
import hashlib
import os
import time
from array import array
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from reconciler.fs.atomic_write import write_cache
from reconciler.fs.read import open_regular
from reconciler.state.columns_file import dump_columns
from reconciler.state.hashes_file import CODES, load_hashes

if TYPE_CHECKING:
    from reconciler.state.hashes_file import Hashes

TICK_NS = 20_000_000  # twice the tick of the coarsest clock for file times on supported systems (100 Hz)
_MOST_ENTRIES = 1_000_000
# A file that would take hours to read although it needs no space on the disk; no compressing file system saves as much.
_LARGE_BYTES, _MOST_COMPRESSION = 1 << 30, 64
_BLOCK_BYTES = 512  # the unit of st_blocks
LARGEST_HASHED = 64 * 1024 * 1024
"""The size in bytes of the largest file that is hashed although no seal has a file of that size."""

Signature: TypeAlias = tuple[int, int, int]  # size, mtime_ns, ctime_ns
FileStatus: TypeAlias = tuple[int, int, int, int]  # st_mode, size, mtime_ns, ctime_ns


def hash_columns(known: "Hashes") -> dict[str, bytes]:
    """Return hashes as the columns of their file (`hashes_file.load_hashes` reads it)."""
    keys, values = known.keys(), known.values()
    numbers = {
        "devices": (each[0] for each in keys),
        "inodes": (each[1] for each in keys),
        "sizes": (each[0] for each in values),
        "mtimes": (each[1] for each in values),
        "ctimes": (each[2] for each in values),
    }
    columns = {name: array(CODES[name], column).tobytes() for name, column in numbers.items()}
    return {**columns, "sha256": b"".join(each[3] for each in values)}


class InodeHashes:
    """SHA-256 by inode, and what one pass over the environments has examined already.

    One instance serves one run; `begin_pass` makes it examine everything again. `statuses` has the lstat of each
    (device, inode), for observers that know from an unchanged directory which inode a name has. `contents` has the
    contents that a file with that lstat was found to have (`CONTENT_BYTES` bytes, as in an inventory).
    `quickly_compared` are the environments that need neither, because `QuickComparison` found their files unchanged.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known: Hashes | None = None
        self._used: set[tuple[int, int]] = set()
        self._changed = False
        self._read: dict[tuple[int, int], tuple[Signature, bytes]] = {}
        self._seen: dict[tuple[int, int], tuple[int, int, bytes]] | None = None
        self._linked: dict[tuple[int, int], os.stat_result] = {}
        self.quickly_compared: set[str] = set()
        self.statuses: dict[tuple[int, int], FileStatus] = {}
        self.contents: dict[tuple[int, int], tuple[FileStatus, bytes]] = {}

    @classmethod
    def load(cls, path: Path) -> "InodeHashes":
        """Return the cache in the file at `path`, which is read when it is first needed; a damaged file is ignored."""
        return cls(path)

    def save(self) -> None:
        """Write the cache if it changed; an error is ignored: the root may be read-only, or a different user's."""
        self._add_linked()
        if self._path is None or not self._changed or self._known is None:
            return
        known = self._known
        if len(known) > _MOST_ENTRIES:
            known = {key: value for key, value in known.items() if key in self._used}
        try:
            write_cache(self._path, dump_columns(str(self._path), "inodes", hash_columns(known)))
        except OSError:
            return
        self._changed = False

    def keep(self, inodes: Collection[tuple[int, int]]) -> int:
        """Drop the hashes of all but some inodes (device, inode); return how many there were."""
        known = self._load()
        dropped = [key for key in known if key not in inodes]
        for key in dropped:
            del known[key]
        self._changed = self._changed or bool(dropped)
        return len(dropped)

    def _add_linked(self) -> None:
        """Add the hashes of the files that `remember_links` got, with their new ctimes."""
        if not self._linked:
            return
        seen, known = self.seen_contents, self._load()
        for key, status in self._linked.items():
            size, mtime, sha256 = seen[key]
            if (size, mtime) == (status.st_size, status.st_mtime_ns):  # else it was read again since
                known[key] = (size, mtime, status.st_ctime_ns, sha256)
        self._used.update(self._linked)
        self._changed = True
        self._linked.clear()

    def begin_pass(self) -> None:
        """Forget what this run examined and read, because the disk may have changed; remembered hashes stay."""
        self.quickly_compared.clear()
        self.statuses.clear()
        self.contents.clear()
        self._read.clear()

    def begin_linking(self) -> None:
        """Assume from now on that our own links made every change of only a ctime; the root mutex must be held.

        Seen contents are those of the files that this pass has examined, and of all that are read later.
        """
        self._add_linked()
        known = self._load()
        self._seen = {
            key: (status[1], status[2], entry[3])
            for key, status in self.statuses.items()
            if (entry := known.get(key)) is not None and entry[:3] == status[1:]
        }
        self._used.update(self._seen)

    @property
    def seen_contents(self) -> Mapping[tuple[int, int], tuple[int, int, bytes]]:
        """Return size, mtime and SHA-256 (32 bytes) of the inodes whose contents were seen since `begin_linking`."""
        return self._seen or {}

    def remember_links(self, statuses: Mapping[tuple[int, int], os.stat_result]) -> None:
        """Remember at the next `save` that files of `seen_contents` have new ctimes from our own links.

        Each ctime must be more than a tick old, so that a later change would change it.
        """
        self._linked.update(statuses)  # each environment that shares a file gives its status: the last one counts

    def remembered_sha256(self, device: int, inode: int, signature: Signature) -> bytes | None:
        """Return the remembered SHA-256 (32 bytes) of an inode, None unless its signature is still the same."""
        key = (device, inode)
        entry = self._load().get(key)
        if entry is None or entry[:3] != signature:
            return None
        self._used.add(key)
        return entry[3]

    def remember(self, status: os.stat_result, sha256: bytes) -> None:
        """Remember a file's SHA-256 (32 bytes), unless the file changed within the last tick of the clock."""
        if not _settled(status):
            return
        key = (status.st_dev, status.st_ino)
        self._load()[key] = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, sha256)
        self._used.add(key)
        self._changed = True

    def sha256_of(self, path: str | Path, status: os.stat_result) -> str:
        """Return a regular file's SHA-256 (hexadecimal); see `sha256_bytes`."""
        return self.sha256_bytes(path, status).hex()

    def bounded_sha256(self, path: str | Path, status: os.stat_result) -> str:
        """Return a regular file's SHA-256 (hexadecimal), empty if it is larger than 64 MiB; see `sha256_bytes`.

        It is for files that nothing declares: one of any size takes no space if it is sparse, but hours to read.
        """
        return self.sha256_of(path, status) if status.st_size <= LARGEST_HASHED else ""

    def sha256_bytes(self, path: str | Path, status: os.stat_result, *, remember: bool = True) -> bytes:
        """Return a regular file's SHA-256 (32 bytes); reads the file only if no hash is known for `status`, its lstat.

        A hash that was read is remembered if `remember` is set. Raises OSError if the file cannot be read, or is not a
        regular file now.
        """
        key = (status.st_dev, status.st_ino)
        size, mtime = status.st_size, status.st_mtime_ns
        entry = (self._load() if self._known is None else self._known).get(key)
        if entry is not None and entry[:3] == (size, mtime, status.st_ctime_ns):
            self._used.add(key)
            if self._seen is not None:
                self._seen[key] = (size, mtime, entry[3])
            return entry[3]
        if self._seen is not None:  # did only the ctime change since then?
            seen = self._seen.get(key)
            if seen is not None and seen[0] == size and seen[1] == mtime:
                self.remember(status, seen[2])
                return seen[2]
        return bytes.fromhex(self.read_sha256(path, status) if remember else hash_file(path)[1])

    def content_was_seen(self, status: os.stat_result) -> bool:
        """Return whether a file's contents were seen since `begin_linking` and did not change."""
        entry = self._seen.get((status.st_dev, status.st_ino)) if self._seen is not None else None
        return entry is not None and entry[:2] == (status.st_size, status.st_mtime_ns)

    def read_sha256(self, path: str | Path, status: os.stat_result) -> str:
        """Return a regular file's SHA-256 (hexadecimal) from its contents, which are read once in each pass."""
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
        if self._seen is not None and _same(before, after):
            key = (after.st_dev, after.st_ino)
            self._seen[key] = (after.st_size, after.st_mtime_ns, bytes.fromhex(sha256))
        return sha256

    def _load(self) -> "Hashes":
        if self._known is None:
            self._known = {}
            if self._path is not None:
                with suppress(OSError, ValueError, TypeError, KeyError):
                    self._known = load_hashes(str(self._path))
        return self._known


def hash_file(path: str | Path) -> tuple[os.stat_result, str, os.stat_result]:
    """Return a regular file's status before reading, its SHA-256 (hexadecimal), and its status after reading.

    Raises OSError, also for a large file with nearly nothing in it; a symbolic link is not followed.
    """
    descriptor = open_regular(path)
    with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123  # a descriptor, opened without following
        before = os.fstat(descriptor)
        if before.st_size > _LARGE_BYTES and before.st_blocks * _BLOCK_BYTES < before.st_size // _MOST_COMPRESSION:
            raise OSError(errno.EFBIG, f"a sparse file of {before.st_size // _LARGE_BYTES} GiB", str(path))
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return before, sha256, os.fstat(descriptor)


def _settled(status: os.stat_result) -> bool:
    """Return whether a later change will change the ctime; a ctime in the future (the clock was set back) is fine."""
    return abs(time.time_ns() - status.st_ctime_ns) >= TICK_NS


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_size, one.st_mtime_ns, one.st_ctime_ns) == (other.st_size, other.st_mtime_ns, other.st_ctime_ns)
