"""What a run read and found, from which the fast path's cache files are written at its end.

Only files that certainly did not change since the run examined them are remembered.
"""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.fastpath.agreement import stat_signature
from reconciler.fs.atomic_write import write_cache
from reconciler.fs.own_files import read_own
from reconciler.fs.read import read_regular
from reconciler.lock.model import Lock
from reconciler.manifest.desired import DesiredState
from reconciler.state.applied import Applied
from reconciler.state.columns_file import dump_columns
from reconciler.state.inode_hashes import TICK_NS, InodeHashes
from reconciler.state.store import State

if TYPE_CHECKING:
    from reconciler.fastpath.agreement import Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedRun:
    """The end of a run over `desired`.

    `since` is when it began to read (nanoseconds). `observed` means that the run found the environments as they were
    sealed; a run that built them knows it because it wrote the seals. `files` means that it compared every file.
    """

    desired: DesiredState
    state: State
    applied: Mapping[str, Applied]
    inodes: InodeHashes
    since: int
    observed: bool
    files: bool

    def is_older(self, status: os.stat_result) -> bool:
        """Return whether a file last changed more than a tick of the clock before the run began."""
        return max(status.st_mtime_ns, status.st_ctime_ns) < self.since - TICK_NS

    def signature(self, path: Path, *, written_by_run: bool = False, follow: bool = True) -> "Signature | None":
        """Return a file's stat signature, None if it is missing, or if it is younger than the run.

        A file that only this run can have written (`written_by_run`) may be younger.
        """
        try:
            status = path.stat(follow_symlinks=follow)
        except OSError:
            return None
        return stat_signature(status) if written_by_run or self.is_older(status) else None

    def lock_signature(self, lock: Lock, *, fresh: bool) -> "Signature | None":
        """Return a lock file's stat signature, None if it may have changed since the run read or wrote it.

        `fresh` means that the run did not write it. Otherwise its contents are compared with what the run wrote.
        """
        signature = self.signature(lock.path, follow=False) if fresh else None
        if signature is None and not self.observed:
            with suppress(OSError):
                before = lock.path.lstat()
                digest = "sha256:" + sha256(read_regular(lock.path)).hexdigest()
                settled = before.st_ctime_ns < time.time_ns() - TICK_NS
                if digest == lock.digest and settled and stat_signature(lock.path.lstat()) == stat_signature(before):
                    return stat_signature(before)
        return signature

    def trusts(self, status: os.stat_result, recorded: bytes) -> bool:
        """Return whether a file's or directory's current status may replace the recorded one.

        It may if the run examined the file and it did not change since, or if a remembered hash is equal to the
        `recorded` SHA-256 (empty for a directory).
        """
        if self.observed and self.is_older(status):
            return True
        signature = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        return bool(recorded) and self.inodes.remembered_sha256(status.st_dev, status.st_ino, signature) == recorded


def write_cache_file(path: str, value: Mapping[str, object]) -> None:
    """Write one of the fast path's cache files, unless it has the same contents already; raises OSError."""
    content = dump_columns(path, "agreed", dict(value))
    with suppress(FileNotFoundError):
        if read_own(path) == content:
            return
    write_cache(Path(path), content)
