"""Lists the files that belong to a local source directory.

They are all files below the directory except build leftovers, whether or not git tracks them, because the build backend
decides what a wheel contains. Tracked files always belong to it, also if they have the names of leftovers.
"""

import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from reconciler.errors import LockError
from reconciler.fs.read import open_regular
from reconciler.fs.repository_top import repository_of
from reconciler.git.index_file import index_file_path, tracked_paths
from reconciler.lock.unreadable_source import unreadable_source

LOCK_FILE = re.compile(r"\.?pylock\..+")  # and the temporary file before it is renamed
_LEFTOVERS = frozenset(
    {".git", ".hg", ".svn", "__pycache__", ".tox", ".nox", ".venv", ".envs", ".eggs", ".mypy_cache", ".pytest_cache",
     ".pdm-build", ".ruff_cache", ".hypothesis", ".idea", ".vscode", ".ipynb_checkpoints", "node_modules"}
)  # fmt: skip
_LEFTOVERS_AT_THE_TOP = frozenset({"build", "dist", "venv"})  # in subdirectories they may be packages
_LEFTOVER_FILES = frozenset({".git", ".coverage", ".DS_Store"})
_BUILT_IN_PLACE = re.compile(r".*\.(?:cpython-[^/]*|cp3[^/]*|pypy[^/]*|abi3)\.(?:so|pyd)|.*\.py[co]")
_ENVIRONMENTS = ("pyvenv.cfg", ".envsync")  # a directory with one of these is a venv or a root of envsync
_CACHE_TAG = (
    b"Signature: 8a477f597d28d172789f06886806bc55"  # in CACHEDIR.TAG: for instance, cargo writes it in `target`
)


def source_files(directory: Path, *, locks: Path | None = None, tracked: Collection[str] | None = None) -> list[str]:
    """Return the POSIX paths of the source files below `directory`, sorted.

    Locks in the directory `locks` are left out, because writing a lock must not change the source that it is for. A
    symbolic link is an entry itself, and is not followed. In a repository, an untracked directory that this user may
    not read is left out (the data of a container). `tracked` are the files that git tracks, if they are known already
    (`tracked_files`). Raises LockError if another directory cannot be read.
    """
    real = real_directory(directory)
    try:
        tracked = _tracked(real) if tracked is None else tracked
        found = sorted({*tracked, *_walk(real, skip_unreadable=bool(tracked))})
    except (OSError, ValueError) as error:  # ValueError: a NUL character in a path that a `.git` file names
        raise unreadable_source(directory, error) from error
    return found if locks is None else without_locks(found, real, locks)


def tracked_files(directory: Path) -> frozenset[str]:
    """Return the POSIX paths of the files below `directory` that git tracks and that exist; raises LockError."""
    real = real_directory(directory)
    try:
        return frozenset(_tracked(real))
    except (OSError, ValueError) as error:
        raise unreadable_source(directory, error) from error


def without_locks(names: Iterable[str], directory: Path, locks: Path) -> list[str]:
    """Return the paths below `directory` (links resolved) that are not locks in `locks`."""
    folder = Path(os.path.relpath(os.path.realpath(locks), directory))
    return [name for name in names if Path(name).parent != folder or not LOCK_FILE.fullmatch(Path(name).name)]


def real_directory(directory: Path) -> Path:
    """Return a directory with its links resolved; raises LockError if it does not exist."""
    try:
        real = directory.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise unreadable_source(directory, error) from error
    if not real.is_dir():
        raise LockError(f"{directory}: not a directory", hint=None)
    return real


def _tracked(directory: Path) -> list[str]:
    """Return the files that the repository around `directory` tracks below it, submodules included."""
    repository = repository_of(directory)
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


def _walk(directory: Path, *, skip_unreadable: bool) -> Iterator[str]:
    """Yield every file below `directory` except build leftovers; symbolic links are not followed."""

    def fail(error: OSError) -> None:
        if not skip_unreadable or error.filename == str(directory):
            raise error

    for folder, names, files in os.walk(directory, onerror=fail):
        here = Path(folder)
        left = _LEFTOVERS | (_LEFTOVERS_AT_THE_TOP if here == directory else frozenset())
        names[:] = sorted(name for name in names if name not in left and not name.endswith(".egg-info"))
        links = [name for name in names if (here / name).is_symlink()]
        names[:] = [name for name in names if name not in links and not _is_environment_or_cache(here / name)]
        for name in links + files:
            if name not in _LEFTOVER_FILES and not _BUILT_IN_PLACE.fullmatch(name) and _is_entry(here / name):
                yield (here / name).relative_to(directory).as_posix()


def _is_environment_or_cache(directory: Path) -> bool:
    """Return whether a directory is a venv, a root of envsync, or the cache of a tool."""
    if any(os.path.lexists(directory / name) for name in _ENVIRONMENTS):
        return True
    try:
        with os.fdopen(open_regular(directory / "CACHEDIR.TAG"), "rb") as tag:
            return tag.read(len(_CACHE_TAG)) == _CACHE_TAG
    except OSError:
        return False
