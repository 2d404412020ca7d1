"""The state of a repository that a version is computed from, as `git describe --tags --dirty` reads it: without git.

Git itself is never started, because a repository's configuration can name programs to run.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from reconciler.canonical_json import Json, digest
from reconciler.fs.read import read_regular
from reconciler.git.index_file import SUBMODULE, IndexEntry, index_entries
from reconciler.git.working_tree import Repository, find_repository

_32_BITS = 0xFFFFFFFF


def version_state(directory: Path, *, without: re.Pattern[str] | None) -> Json:
    """Return a value that changes with the commit, the tags, and the names of the tracked files, and if any is changed.

    It is None outside of a repository, and the same in another clone with the same commit and tags. While a file is
    changed, it stays the same whatever else is edited or staged: git only says that the working tree is dirty. Files
    whose names match `without` do not count. Raises LockError if the index is damaged, or OSError.
    """
    repository = find_repository(str(directory))
    if repository is None:
        return None
    index = Path(repository.git_dir, "index")
    entries = _counted(index_entries(index) if index.is_file() else [], without)
    dirty = any(_changed(repository, entries))
    return {
        "commit": repository.commit(),
        "tags": dict(sorted(repository.tags().items())),
        "reftable": _reftable(repository),
        "tracked": digest([os.fsdecode(each.path) for each in entries]),  # setuptools-scm packages tracked files
        # Without its commit's tree it is unknown whether the index has changes, so its contents count.
        "index": "" if dirty else digest([[each.mode, each.object_name] for each in entries]),
        "dirty": dirty,
    }


def changed_files(directory: Path) -> list[str]:
    """Return the POSIX paths of the tracked files that differ from the index, sorted; none outside of a repository."""
    repository = find_repository(str(directory))
    if repository is None:
        return []
    index = Path(repository.git_dir, "index")
    return sorted(_changed(repository, index_entries(index) if index.is_file() else []))


def _counted(entries: list[IndexEntry], without: re.Pattern[str] | None) -> list[IndexEntry]:
    return [each for each in entries if without is None or not without.fullmatch(Path(os.fsdecode(each.path)).name)]


def _changed(repository: Repository, entries: Iterable[IndexEntry]) -> Iterator[str]:
    written = Path(repository.git_dir, "index").stat().st_mtime_ns if entries else 0
    return (os.fsdecode(each.path) for each in entries if _is_changed(repository.top, each, written))


def _is_changed(top: str, entry: IndexEntry, written: int) -> bool:
    """Return whether a tracked file differs from the index.

    One that was modified at the same time as the index or later is hashed, because its stat may not show a change
    (git's rule for racily clean entries). Filters such as line ends are not applied: such a file counts as changed.
    """
    if entry.assumed or entry.mode == SUBMODULE or entry.path.endswith(b"/"):  # a directory of a sparse index
        return False
    path = os.path.join(os.fsencode(top), entry.path)  # noqa: PTH118  # bytes
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            content = os.readlink(path)  # noqa: PTH115
        elif (
            stat.S_ISREG(status.st_mode)
            and status.st_size & _32_BITS == entry.size
            and status.st_mtime_ns == entry.mtime < written
        ):
            return False
        else:
            content = read_regular(os.fsdecode(path), limit=status.st_size)
    except OSError:
        return True
    hashed = hashlib.new("sha1" if len(entry.object_name) == 40 else "sha256", b"blob %d\0" % len(content))
    hashed.update(content)
    return hashed.hexdigest() != entry.object_name


def _reftable(repository: Repository) -> Json:
    """Return the names of the reftable's files, which git replaces with every change of a ref (None without one)."""
    listed = Path(repository.common_dir, "reftable", "tables.list")
    return read_regular(listed, follow=True).decode("utf-8", "replace") if listed.is_file() else None
