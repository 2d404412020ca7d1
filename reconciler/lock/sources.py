"""Local source directories: the files that belong to one, and a digest of what would be installed.

In a git repository these are the tracked files, read from git's index file. Outside of one, and in a directory without
tracked files, they are all files except build leftovers.
"""

import hashlib
import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from reconciler.errors import LockError
from reconciler.git.index_file import find_git_root, index_file_path, tracked_paths

METADATA_FILES = ("pyproject.toml", "setup.cfg", "setup.py")
_LOCK = re.compile(r"\.?pylock\..+")  # and the temporary file before it is renamed
_LEFTOVERS = frozenset(
    {".git", ".hg", ".svn", "__pycache__", ".tox", ".nox", ".venv", ".envs", ".eggs", ".mypy_cache", ".pytest_cache",
     ".ruff_cache", "node_modules"}
)  # fmt: skip
_LEFTOVERS_AT_THE_TOP = frozenset({"build", "dist", "venv"})  # in subdirectories they may be packages
_ENVIRONMENTS = ("pyvenv.cfg", ".envsync")  # a directory with one of these is a venv or a root of envsync


def metadata_digest(directory: Path) -> str:
    """Return the digest of a project's metadata files: what an editable install depends on."""
    return _digest(directory, [name for name in METADATA_FILES if os.path.isfile(directory / name)], follow=True)  # noqa: PTH113  # False instead of an error without permission


def content_digest(directory: Path, *, locks: Path | None = None) -> str:
    """Return the digest of every source file below `directory`: what a non-editable install depends on."""
    return _digest(directory, source_files(directory, locks=locks))


def copy_source(source: Path, copy: Path, *, locks: Path | None = None) -> None:
    """Copy the files that belong to a source directory (see `source_files`); symbolic links stay links."""
    copy.mkdir(parents=True, exist_ok=True)
    for name in source_files(source, locks=locks):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, copy / name, follow_symlinks=False)


def source_files(directory: Path, *, locks: Path | None = None) -> list[str]:
    """Return the POSIX paths of the source files below `directory`, sorted.

    Locks in the directory `locks` are left out, because writing a lock must not change the source that it is for. A
    symbolic link is an entry itself, and is not followed. Raises LockError if the directory cannot be read.
    """
    try:
        real = directory.resolve(strict=True)
        if not real.is_dir():
            raise LockError(f"{directory}: not a directory")
        found = sorted(_tracked(real) or _walk(real))
    except (OSError, ValueError) as error:  # ValueError: a NUL character in a path that a `.git` file names
        raise LockError(f"{directory}: {getattr(error, 'strerror', None) or error}") from error
    return found if locks is None else without_locks(found, real, locks)


def without_locks(names: list[str], directory: Path, locks: Path) -> list[str]:
    """Return the paths below `directory` (links resolved) that are not locks in `locks`."""
    folder = Path(os.path.relpath(os.path.realpath(locks), directory))
    return [name for name in names if Path(name).parent != folder or not _LOCK.fullmatch(Path(name).name)]


def _digest(directory: Path, files: list[str], *, follow: bool = False) -> str:
    """Return a digest of names, executable bits and contents; without `follow`, of the target of a symbolic link."""
    total = hashlib.sha256()
    for name in files:
        path = directory / name
        try:
            mode = path.stat(follow_symlinks=follow).st_mode
            if stat.S_ISLNK(mode):
                kind, content = b"l", hashlib.sha256(os.fsencode(path.readlink()))
            else:
                with path.open("rb") as file:
                    kind, content = b"x" if mode & 0o100 else b"f", hashlib.file_digest(file, "sha256")
        except OSError as error:
            raise LockError(f"{path}: {error.strerror}") from error
        total.update(b"%s %s\0%s" % (kind, os.fsencode(name), content.digest()))
    return "sha256:" + total.hexdigest()


def _tracked(directory: Path) -> list[str]:
    """Return the files that the repository around `directory` tracks below it, submodules included."""
    repository = find_git_root(directory)
    if repository is None:
        return []
    index = index_file_path(repository)
    if not index.is_file():
        return []
    prefix = b"" if directory == repository else os.fsencode(directory.relative_to(repository).as_posix()) + b"/"
    found = []
    links: dict[bytes, bool] = {b"": False}
    for path in tracked_paths(index):
        if not path.startswith(prefix) or _behind_link(repository, path.rpartition(b"/")[0], links):
            continue
        name = os.fsdecode(path[len(prefix) :])
        if _is_entry(directory / name):
            found.append(name)
        elif (directory / name / ".git").exists():  # a submodule: the index has only the directory's name
            found += [f"{name}/{inner}" for inner in _tracked(directory / name)]
    return found


def _behind_link(repository: Path, folder: bytes, known: dict[bytes, bool]) -> bool:
    """Return whether a directory in the index is now a symbolic link: git too counts the files in it as deleted."""
    if folder not in known:
        above = folder.rpartition(b"/")[0]
        known[folder] = _behind_link(repository, above, known) or (repository / os.fsdecode(folder)).is_symlink()
    return known[folder]


def _is_entry(path: Path) -> bool:
    """Return whether `path` is a symbolic link or a regular file; devices and pipes are not sources."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISLNK(mode) or stat.S_ISREG(mode)


def _walk(directory: Path) -> Iterator[str]:
    """Yield every file below `directory` except build leftovers; symbolic links are not followed."""

    def fail(error: OSError) -> None:
        raise error

    for folder, names, files in os.walk(directory, onerror=fail):
        here = Path(folder)
        left = _LEFTOVERS | (_LEFTOVERS_AT_THE_TOP if here == directory else frozenset())
        names[:] = sorted(name for name in names if name not in left and not name.endswith(".egg-info"))
        links = [name for name in names if (here / name).is_symlink()]
        names[:] = [name for name in names if name not in links and not _is_environment(here / name)]
        for name in links + files:
            if name != ".git" and not name.endswith((".pyc", ".pyo")) and _is_entry(here / name):
                yield (here / name).relative_to(directory).as_posix()


def _is_environment(directory: Path) -> bool:
    return any((directory / name).exists() for name in _ENVIRONMENTS)
