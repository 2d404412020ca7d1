"""What git tracks of a directory, in a revision and in the work tree: each file's mode and object name.

So the two compare alike whatever filters (line ends, LFS) stand between git's objects and the files on disk: a file
that git's index knows by its stat is the object that the index says, as it is for `git status`.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from reconciler.canonical_json import digest
from reconciler.lock.sources import METADATA_FILES, without_locks
from reconciler.manifest.paths import is_within
from reconciler.revision.files import RevisionFiles
from reconciler.revision.git_errors import understood
from reconciler.revision.git_revision import SUBMODULE, Revision

if TYPE_CHECKING:
    from dulwich.index import IndexEntry

Tracked: TypeAlias = Mapping[str, tuple[int, str]]  # by path; of a directory that is a submodule, by an empty one
TrackedBelow: TypeAlias = Callable[[Path], Tracked]  # of a directory, absolute and without links
_32_BITS = 0xFFFFFFFF


def source_content(directory: Path, tracked: Tracked, *, locks: Path, editable: bool) -> str:
    """Return the digest of what installing a directory depends on: an editable's metadata files, else all but locks."""
    names = [each for each in ("", *METADATA_FILES) if each in tracked] if editable else [*tracked]
    return digest({name: tracked[name] for name in without_locks(names, directory, locks)})


def revision_tracked(files: RevisionFiles) -> TrackedBelow:
    """Return what tells the files of a directory in a revision."""

    def below(directory: Path) -> Tracked:
        entry = files.found(directory)
        if entry is None or not stat.S_ISDIR(entry.mode):
            return {"": (entry.mode, entry.id.decode("ascii"))} if entry else {}
        return {path: (_mode(mode), name) for path, mode, name in files.revision.files_below(entry)}

    return below


def worktree_tracked(revision: Revision) -> TrackedBelow:
    """Return what tells the files of a directory in the work tree, by git's index and the files themselves."""
    repository = revision.repository
    entries: dict[str, IndexEntry] = {}
    written = 0

    def below(directory: Path) -> Tracked:
        nonlocal written
        if not is_within(directory, repository):
            return {}
        if not entries:
            written = _read_index(revision, entries)
        place = directory.relative_to(repository).as_posix()
        if place in entries:  # a submodule
            return {"": (entries[place].mode, entries[place].sha.decode("ascii"))}
        prefix = "" if place == "." else f"{place}/"
        found: dict[str, tuple[int, str]] = {}
        for path, entry in entries.items():
            if path.startswith(prefix) and (now := _now(repository / path, entry, written)):
                found[path.removeprefix(prefix)] = now
        return found

    return below


def _read_index(revision: Revision, entries: dict[str, "IndexEntry"]) -> int:
    """Fill in the index's entries by path; return when it was written (nanoseconds)."""
    from dulwich.index import ConflictedIndexEntry

    with understood(f"the git index of {revision.repository}", hint="`git status` says more, or mends it"):
        if not revision.git.has_index():
            return 0
        written = Path(revision.git.index_path()).stat().st_mtime_ns
        for path, entry in revision.git.open_index().items():
            one = entry.this or entry.other or entry.ancestor if isinstance(entry, ConflictedIndexEntry) else entry
            if one is not None:
                entries[os.fsdecode(path)] = one
        return written


def _now(path: Path, entry: "IndexEntry", written: int) -> tuple[int, str] | None:
    """Return mode and object name of a tracked file as it is now; None where it was deleted.

    A file that was modified when the index was written, or later, is hashed: its stat need not tell (git's racy rule).
    """
    from dulwich.index import EXTENDED_FLAG_SKIP_WORKTREE

    known = (_mode(entry.mode), entry.sha.decode("ascii"))
    if entry.mode == SUBMODULE or entry.extended_flags & EXTENDED_FLAG_SKIP_WORKTREE:
        return known
    try:
        status = path.lstat()
        unmoved = _nanoseconds(entry.mtime) == status.st_mtime_ns < written and _mode(status.st_mode) == known[0]
        if unmoved and entry.size == status.st_size & _32_BITS:
            return known
        if stat.S_ISLNK(status.st_mode):
            content = os.fsencode(path.readlink())
        elif stat.S_ISREG(status.st_mode):
            content = path.read_bytes()
        else:
            return None
    except (FileNotFoundError, NotADirectoryError):
        return None
    hashed = hashlib.new("sha1" if len(known[1]) == 40 else "sha256", b"blob %d\0" % len(content))
    hashed.update(content)
    return _mode(status.st_mode), hashed.hexdigest()


def _mode(mode: int) -> int:
    """Return the mode as git has it: of a file only whether it is executable."""
    if stat.S_ISREG(mode):
        return 0o100755 if mode & 0o100 else 0o100644
    return stat.S_IFLNK if stat.S_ISLNK(mode) else mode


def _nanoseconds(time: int | float | tuple[int, int]) -> int:
    """Return a time of the index, which has seconds and nanoseconds."""
    seconds, nanoseconds = time if isinstance(time, tuple) else (int(time), 0)
    return seconds * 1_000_000_000 + nanoseconds
