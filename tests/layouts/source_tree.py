"""What is in a source tree, to see whether a command changed it."""

import hashlib
import os
from fnmatch import fnmatch
from pathlib import Path

LOCKS = "locks/pylock.*.toml"  # of the manifest, relative to its directory
_NOT_SOURCES = frozenset({".envs", ".git"})


def source_tree(repository: Path, *, times: bool = True, git: bool = True) -> dict[str, str]:
    """Return what is below `repository`, by path: type, mode, contents, and with `times` the time of the last change.

    The root of envsync and the locks are left out, and `.git` unless `git`.
    """
    found = {}
    for folder, names, files in os.walk(repository):
        names[:] = sorted(name for name in names if Path(folder) != repository or name not in _NOT_SOURCES)
        for name in (*names, *files):
            path = Path(folder) / name
            place = path.relative_to(repository).as_posix()
            if not is_lock(place):
                found[place] = _description(path, times)
    for path in (repository / ".git").rglob("*") if git else ():
        found[path.relative_to(repository).as_posix()] = _description(path, times)
    return found


def is_lock(place: str) -> bool:
    """Return whether a path below the repository is a lock of envsync or the directory of the locks."""
    return place == "locks" or fnmatch(place, LOCKS)


def changes(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return one line for each path that was added, removed or changed."""
    lines = [f"added {each}" for each in sorted(after.keys() - before.keys())]
    lines += [f"removed {each}" for each in sorted(before.keys() - after.keys())]
    lines += [f"changed {each}" for each in sorted(before.keys() & after.keys()) if before[each] != after[each]]
    return lines


def is_scratch(place: str) -> bool:
    """Return whether a path below the repository is what a build backend leaves behind, and no installation needs."""
    return any(
        part in {"build", ".pdm-build", "__pycache__"} or part.endswith(".egg-info") for part in place.split("/")
    )


def _description(path: Path, times: bool) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    status = path.stat()
    if path.is_dir():
        return f"directory {status.st_mode:o}"
    changed = f" {status.st_mtime_ns}" if times else ""
    return f"{status.st_mode:o}{changed} {hashlib.sha256(path.read_bytes()).hexdigest()}"
