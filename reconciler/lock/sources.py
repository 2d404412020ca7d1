"""Local source directories: the files that belong to one, and digests of what is made from them.

The files are all files below the directory except build leftovers, whether or not git tracks them, because the build
backend decides what a wheel contains. Tracked files always belong to it, also if they have the names of leftovers.

Files that a build of an editable project wrote (`GeneratedFiles`) are results, and are in no digest.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from reconciler.canonical_json import digest
from reconciler.errors import LockError
from reconciler.git.index_file import find_git_root, index_file_path, tracked_paths
from reconciler.git.version_state import version_state
from reconciler.lock.build_file_values import BUILD_FILES
from reconciler.lock.build_inputs import BuildInputs, read_build_inputs
from reconciler.lock.ignored_by_git import BACKENDS_THAT_IGNORE, left_out_files
from reconciler.state.generated_files import NOTHING_GENERATED, GeneratedFiles

METADATA_FILES = BUILD_FILES
_TABLES = frozenset({"pyproject.toml", "hatch.toml"})  # of these, only the tables that a build reads count
_SETUP_FILES = ("setup.cfg", "setup.py")
# The keys of `[project]` that a resolution depends on.
_RESOLVED_KEYS = ("name", "requires-python", "dependencies", "optional-dependencies", "dynamic")
_LOCK = re.compile(r"\.?pylock\..+")  # and the temporary file before it is renamed
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


def resolution_digest(directory: Path, generated: GeneratedFiles = NOTHING_GENERATED) -> str:
    """Return the digest of everything that the dependencies of a local project are read from (not its version).

    These are its build files and those that they name for dependencies, or every source file if only the backend knows
    them; and the same of the local projects that it depends on. Raises LockError.
    """
    return digest([_resolved_from(each, generated) for each in _with_local_dependencies(_real(directory))])


def metadata_digest(directory: Path, generated: GeneratedFiles = NOTHING_GENERATED) -> str:
    """Return the digest of everything that the metadata of a local project is made from: what an editable install has.

    Of a pyproject.toml, only the tables count that a build reads. The state of the repository counts if the version
    comes from it. Raises LockError.
    """
    if not directory.is_dir():  # that it is missing is found in the environment (`editable-missing`)
        return digest("missing")
    real = _real(directory)
    inputs = read_build_inputs(real)
    files = inputs.metadata_from
    found = source_files(real) if files is None or inputs.compiles or _lists_modules(inputs) else []
    found = _written_by_people(real, found, generated)
    names = _possible_inputs(inputs, found) if files is None else _relative(files, real)
    names = _written_by_people(real, names, generated)
    compiled = [name for name in found if inputs.is_compiled(name)]
    return digest(
        {
            "tables": dict(inputs.tables),
            "build files": {name: _text_digest(text) for name, text in inputs.texts.items() if name not in _TABLES},
            "files": _digest(real, names, follow=True),
            "compiled": _digest(real, compiled, follow=True),
            "neighbors": _neighbors(inputs, generated) if files is None else {},
            "modules": _top_modules(inputs, found) if _lists_modules(inputs) else [],
            "version": _version_state(inputs),
        }
    )


def content_digest(directory: Path, generated: GeneratedFiles = NOTHING_GENERATED, *, locks: Path | None = None) -> str:
    """Return the digest of everything that a wheel of a local project is built from: what a non-editable install has.

    These are its source files, except those that no wheel contains (`BuildInputs.may_be_packaged`, `left_out`), and the
    files and directories outside of it that its build files name. The state of the repository counts if the build uses
    it. Raises LockError.
    """
    real = _real(directory)
    inputs = read_build_inputs(real)
    found = _written_by_people(real, source_files(real, locks=locks), generated)
    without = inputs.generated | left_out(inputs, found)
    names = [name for name in found if inputs.may_be_packaged(name) and name not in without]
    return digest(
        {
            "files": _digest(real, names),
            "neighbors": _neighbors(inputs, generated),
            "ignored": _ignore_files(inputs),
            "version": _version_state(inputs),
        }
    )


def left_out(inputs: BuildInputs, names: Iterable[str]) -> frozenset[str]:
    """Return those source files `names` of a project that its build neither packages nor reads: git ignores them.

    Raises LockError.
    """
    if inputs.metadata_from is None or not inputs.declarative:  # its build may read any file
        return frozenset()
    if inputs.backend not in BACKENDS_THAT_IGNORE:
        return frozenset()
    tracked = tracked_files(inputs.directory)
    is_left_out = left_out_files(inputs.directory, inputs.backend, inputs.tables, tracked=tracked)
    used = {*tracked, *_relative(inputs.metadata_from, inputs.directory)}
    return frozenset(name for name in names if name not in used and is_left_out(name))


def source_files(directory: Path, *, locks: Path | None = None) -> list[str]:
    """Return the POSIX paths of the source files below `directory`, sorted.

    Locks in the directory `locks` are left out, because writing a lock must not change the source that it is for. A
    symbolic link is an entry itself, and is not followed. In a repository, an untracked directory that this user may
    not read is left out (the data of a container). Raises LockError if another directory cannot be read.
    """
    real = _real(directory)
    try:
        tracked = _tracked(real)
        found = sorted({*tracked, *_walk(real, skip_unreadable=bool(tracked))})
    except (OSError, ValueError) as error:  # ValueError: a NUL character in a path that a `.git` file names
        raise LockError(f"{directory}: {getattr(error, 'strerror', None) or error}") from error
    return found if locks is None else without_locks(found, real, locks)


def tracked_files(directory: Path) -> frozenset[str]:
    """Return the POSIX paths of the files below `directory` that git tracks and that exist; raises LockError."""
    real = _real(directory)
    try:
        return frozenset(_tracked(real))
    except (OSError, ValueError) as error:
        raise LockError(f"{directory}: {getattr(error, 'strerror', None) or error}") from error


def without_locks(names: Iterable[str], directory: Path, locks: Path) -> list[str]:
    """Return the paths below `directory` (links resolved) that are not locks in `locks`."""
    folder = Path(os.path.relpath(os.path.realpath(locks), directory))
    return [name for name in names if Path(name).parent != folder or not _LOCK.fullmatch(Path(name).name)]


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal; raises LockError if it cannot be read."""
    try:
        return _sha256(path, path.stat()).hex()
    except OSError as error:
        raise LockError(f"{path}: {error.strerror}") from error


def file_state(path: Path) -> str:
    """Return whether a regular file is executable, and its SHA-256, as one word; raises LockError or OSError."""
    status = path.stat()
    return f"{'x' if status.st_mode & 0o100 else 'f'}{file_digest(path)}"


def _real(directory: Path) -> Path:
    try:
        real = directory.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise LockError(f"{directory}: {getattr(error, 'strerror', None) or error}") from error
    if not real.is_dir():
        raise LockError(f"{directory}: not a directory")
    return real


def _ignore_files(inputs: BuildInputs) -> dict[str, str]:
    """Return the digest of each `.gitignore` of a project and above it, if its backend leaves out what git ignores."""
    if inputs.backend not in BACKENDS_THAT_IGNORE:
        return {}
    top = find_git_root(inputs.directory) or inputs.directory
    above = [each for each in (inputs.directory, *inputs.directory.parents) if each.is_relative_to(top)]
    files = [each / name for each in above for name in (".gitignore", ".hgignore")]
    return {os.path.relpath(each, inputs.directory): _file_digest(each) for each in files if each.is_file()}


def _with_local_dependencies(directory: Path) -> list[BuildInputs]:
    """Return the inputs of a project, and of the local projects that it depends on, each once, in a fixed order."""
    found: dict[Path, BuildInputs] = {}
    waiting = [directory]
    while waiting:
        each = waiting.pop(0)
        if each not in found:
            found[each] = read_build_inputs(each)
            waiting += found[each].projects
    return list(found.values())


def _resolved_from(inputs: BuildInputs, generated: GeneratedFiles) -> object:
    files = inputs.resolved_from
    names = (
        _possible_inputs(inputs, source_files(inputs.directory))
        if files is None
        else _relative(files, inputs.directory)
    )
    names = _written_by_people(inputs.directory, names, generated)
    project = inputs.tables.get("project")
    resolved = {key: project[key] for key in _RESOLVED_KEYS if key in project} if isinstance(project, dict) else {}
    return {
        "tables": {**inputs.tables, "project": resolved},
        "build files": {name: _text_digest(inputs.texts[name]) for name in _SETUP_FILES if name in inputs.texts},
        "files": _digest(inputs.directory, names, follow=True),
        "neighbors": _neighbors(inputs, generated) if files is None else {},
    }


def _written_by_people(directory: Path, names: list[str], generated: GeneratedFiles) -> list[str]:
    """Return `names` without those that a build wrote, and that are still as it wrote them."""
    if not generated:
        return names
    return [name for name in names if not _is_as_built(directory / name, generated)]


def _is_as_built(path: Path, generated: GeneratedFiles) -> bool:
    recorded = generated.get(str(path))
    return recorded is not None and path.is_file() and recorded == file_state(path)


def _neighbors(inputs: BuildInputs, generated: GeneratedFiles) -> dict[str, str]:
    """Return the digest of each file and directory outside of a project that its build files name."""
    return {
        os.path.relpath(each, inputs.directory): _digest(
            each, _written_by_people(each.resolve(), source_files(each), generated)
        )
        if each.is_dir()
        else _file_digest(each)
        for each in inputs.neighbors
    }


def _possible_inputs(inputs: BuildInputs, sources: Iterable[str]) -> list[str]:
    """Return the source files that a backend may read metadata from; not the results of builds in place."""
    return [
        name
        for name in sources
        if name not in inputs.generated and not _LOCK.fullmatch(Path(name).name) and inputs.may_be_packaged(name)
    ]


def _relative(files: Iterable[Path], directory: Path) -> list[str]:
    """Return the existing ones of `files` relative to `directory`, sorted; some may be outside of it."""
    return sorted(os.path.relpath(each, directory) for each in files if each.is_file())


def _lists_modules(inputs: BuildInputs) -> bool:
    """Return whether an editable install lists the modules at the top; others name the directory `src`."""
    return inputs.backend == "setuptools" or not (inputs.directory / "src").is_dir()


def _top_modules(inputs: BuildInputs, names: Iterable[str]) -> list[str]:
    """Return the packages and modules among the source files `names` at the top of a project, or of its `src`."""
    if (inputs.directory / "src").is_dir():
        inner = {name.split("/")[1] for name in names if name.startswith("src/") and name.endswith((".py", ".pyi"))}
        return sorted(inner)
    tops = {name.partition("/")[0] for name in names if name.endswith((".py", ".so", ".pyd", ".pyi"))}
    return sorted(each for each in tops if inputs.may_be_packaged(each if each.endswith(".py") else f"{each}/x"))


def _version_state(inputs: BuildInputs) -> object:
    if not inputs.versioned:
        return None
    try:
        return version_state(inputs.directory, without=_LOCK)  # apply itself writes locks, which git may track
    except OSError as error:
        raise LockError(f"{error.filename}: {error.strerror}") from error


def _text_digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _file_digest(path: Path) -> str:
    return file_digest(path) if path.is_file() else ""


def _digest(directory: Path, files: list[str], *, follow: bool = False) -> str:
    """Return a digest of names, executable bits and contents; without `follow`, of the target of a symbolic link."""
    total = hashlib.sha256()
    for name in files:
        path = directory / name
        try:
            status = path.stat(follow_symlinks=follow)
            if stat.S_ISLNK(status.st_mode):
                kind, content = b"l", hashlib.sha256(os.fsencode(path.readlink())).digest()
            else:
                kind, content = b"x" if status.st_mode & 0o100 else b"f", _sha256(path, status)
        except OSError as error:
            raise LockError(f"{path}: {error.strerror}") from error
        total.update(b"%s %s\0%s" % (kind, os.fsencode(name), content))
    return "sha256:" + total.hexdigest()


def _sha256(path: Path, status: os.stat_result) -> bytes:
    """Return the SHA-256 of a file; within a run it is computed once for the same inode, size and times."""
    return _sha256_at(path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@lru_cache(maxsize=100_000)
def _sha256_at(path: Path, *_signature: int) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


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
        with (directory / "CACHEDIR.TAG").open("rb") as tag:
            return tag.read(len(_CACHE_TAG)) == _CACHE_TAG
    except OSError:
        return False
