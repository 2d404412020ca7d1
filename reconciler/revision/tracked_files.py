"""List the files of a directory that git tracks, with mode and object name, in a revision and in the working tree.

Object names compare equal even if a filter (line ends, LFS) makes the files on disk differ from git's objects. If a
file's stat is the one in git's index, its object name is taken from the index, as `git status` does.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from reconciler.canonical_json import digest
from reconciler.git.index_file import SUBMODULE
from reconciler.lock.build_file_values import BUILD_FILES
from reconciler.lock.source_files import without_locks
from reconciler.manifest.paths import is_within
from reconciler.revision.files import RevisionFiles
from reconciler.revision.git_errors import translate_git_errors
from reconciler.revision.git_revision import Revision

if TYPE_CHECKING:
    from dulwich.index import IndexEntry
    from dulwich.repo import Repo

TrackedFiles: TypeAlias = Mapping[str, tuple[int, str]]  # mode and object name by path; a submodule has an empty path
ListTrackedFiles: TypeAlias = Callable[[Path], TrackedFiles]  # of a directory, an absolute path without links
_32_BITS = 0xFFFFFFFF


def source_content(directory: Path, tracked: TrackedFiles, *, locks: Path, editable: bool) -> str:
    """Return the digest of the files that an installation of `directory` depends on.

    For an editable installation these are the metadata files, otherwise all files except locks.
    """
    names = [each for each in ("", *BUILD_FILES) if each in tracked] if editable else [*tracked]
    return digest({name: tracked[name] for name in without_locks(names, directory, locks)})


def revision_tracked(files: RevisionFiles) -> ListTrackedFiles:
    """Return a function that lists the tracked files of a directory in a revision."""

    def below(directory: Path) -> TrackedFiles:
        entry = files.entry(directory)
        if entry is None or not stat.S_ISDIR(entry.mode):
            return {"": (entry.mode, entry.id.decode("ascii"))} if entry else {}
        return {path: (_mode(mode), name) for path, mode, name in files.revision.files_below(entry)}

    return below


def worktree_tracked(revision: Revision) -> ListTrackedFiles:
    """Return a function that lists the tracked files of a directory in the working tree, as they are on disk."""
    repository = revision.repository
    index = cache(_read_index)

    def below(directory: Path) -> TrackedFiles:
        if not is_within(directory, repository):
            return {}
        entries, written = index(repository, revision.git)
        relative = directory.relative_to(repository).as_posix()
        if relative in entries:  # a submodule
            return {"": (entries[relative].mode, entries[relative].sha.decode("ascii"))}
        prefix = "" if relative == "." else f"{relative}/"
        found: dict[str, tuple[int, str]] = {}
        for path, entry in entries.items():
            if path.startswith(prefix) and (current := _current(repository / path, entry, written)):
                found[path.removeprefix(prefix)] = current
        return found

    return below


def _read_index(repository: Path, git: "Repo") -> tuple[Mapping[str, "IndexEntry"], int]:
    """Return the index's entries by path, and when the index was written (nanoseconds), 0 if there is none."""
    from dulwich.index import ConflictedIndexEntry

    with translate_git_errors(f"the git index of `{repository}`", hint="run `git status` to find or fix the problem"):
        index = Path(git.index_path())
        if not index.exists():  # as after `git clone --no-checkout`
            return {}, 0
        written = index.stat().st_mtime_ns
        entries = {}
        for path, entry in git.open_index().items():
            sides = (entry.this, entry.other, entry.ancestor) if isinstance(entry, ConflictedIndexEntry) else (entry,)
            entries[os.fsdecode(path)] = next(each for each in sides if each)
        return entries, written


def _current(path: Path, entry: "IndexEntry", written: int) -> tuple[int, str] | None:
    """Return the mode and object name that a tracked file has now; None if it was deleted.

    A file that was modified at the same time as the index or later is hashed, because its stat may not show a change
    (git's rule for racily clean entries).
    """
    from dulwich.index import EXTENDED_FLAG_SKIP_WORKTREE

    known = (_mode(entry.mode), entry.sha.decode("ascii"))
    if entry.mode == SUBMODULE or entry.extended_flags & EXTENDED_FLAG_SKIP_WORKTREE:
        return known
    try:
        status = path.lstat()
        unchanged = _nanoseconds(entry.mtime) == status.st_mtime_ns < written and _mode(status.st_mode) == known[0]
        if unchanged and entry.size == status.st_size & _32_BITS:
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
    """Return the mode as git stores it; for a regular file git stores only whether it is executable."""
    if stat.S_ISREG(mode):
        return 0o100755 if mode & 0o100 else 0o100644
    return stat.S_IFLNK if stat.S_ISLNK(mode) else mode


def _nanoseconds(time: int | float | tuple[int, int]) -> int:
    """Return a time in the index in nanoseconds; dulwich has it as a number of seconds, or seconds and nanoseconds."""
    seconds, nanoseconds = time if isinstance(time, tuple) else (int(time), 0)
    return seconds * 1_000_000_000 + nanoseconds
