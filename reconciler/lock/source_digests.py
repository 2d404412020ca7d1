"""Digests of what is made from a local source directory: its resolution, its metadata, and its wheel.

Files that a build of an editable project wrote (`GeneratedFiles`) are results, and are in no digest.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from reconciler.canonical_json import digest
from reconciler.fs.repository_top import repository_of
from reconciler.git.version_state import version_state
from reconciler.lock.build_inputs import BuildInputs, read_build_inputs
from reconciler.lock.file_digests import file_digest, file_state, files_digest
from reconciler.lock.ignored_by_git import BACKENDS_THAT_IGNORE, left_out
from reconciler.lock.source_files import LOCK_FILE, real_directory, source_files, tracked_files
from reconciler.lock.unreadable_source import unreadable_source
from reconciler.state.generated_files import GeneratedFiles

_TABLES = frozenset({"pyproject.toml", "hatch.toml"})  # of these, only the tables that a build reads count
_SETUP_FILES = ("setup.cfg", "setup.py")
# The keys of `[project]` that a resolution depends on.
_RESOLVED_KEYS = ("name", "requires-python", "dependencies", "optional-dependencies", "dynamic")


def resolution_digest(directory: Path, generated: GeneratedFiles) -> str:
    """Return the digest of everything that the dependencies of a local project are read from (not its version).

    These are its build files and those that they name for dependencies, or every source file if only the backend knows
    them; and the same of the local projects that it depends on. Raises LockError.
    """
    return digest([_resolved_from(each, generated) for each in _with_local_dependencies(real_directory(directory))])


def metadata_digest(directory: Path, generated: GeneratedFiles) -> str:
    """Return the digest of everything that the metadata of a local project is made from: what an editable install has.

    Of a pyproject.toml, only the tables count that a build reads. The state of the repository counts if the version
    comes from it. Raises LockError.
    """
    if not directory.is_dir():  # that it is missing is found in the environment (`editable-missing`)
        return digest("missing")
    real = real_directory(directory)
    inputs = read_build_inputs(real)
    files = inputs.metadata_from
    found = source_files(real) if files is None or inputs.compiles or _lists_modules(inputs) else []
    found = _without_generated(real, found, generated)
    names = _possible_inputs(inputs, found) if files is None else _relative(files, real)
    names = _without_generated(real, names, generated)
    compiled = [name for name in found if inputs.is_compiled(name)]
    return digest(
        {
            "tables": dict(inputs.tables),
            "build files": {name: _text_digest(text) for name, text in inputs.texts.items() if name not in _TABLES},
            "files": files_digest(real, names, follow=True),
            "compiled": files_digest(real, compiled, follow=True),
            "neighbors": _neighbors(inputs, generated) if files is None else {},
            "modules": _top_modules(inputs, found) if _lists_modules(inputs) else [],
            "version": _version_state(inputs),
        }
    )


def content_digest(directory: Path, generated: GeneratedFiles, *, locks: Path | None) -> str:
    """Return the digest of everything that a wheel of a local project is built from: what a non-editable install has.

    These are its source files, except those that no wheel contains (`BuildInputs.may_be_packaged`, `left_out`), and the
    files and directories outside of it that its build files name. The state of the repository counts if the build uses
    it. Raises LockError.
    """
    real = real_directory(directory)
    inputs = read_build_inputs(real)
    tracked = tracked_files(real)
    found = _without_generated(real, source_files(real, locks=locks, tracked=tracked), generated)
    without = inputs.generated | left_out(inputs, found, tracked)
    names = [name for name in found if inputs.may_be_packaged(name) and name not in without]
    return digest(
        {
            "files": files_digest(real, names),
            "neighbors": _neighbors(inputs, generated),
            "ignored": _ignore_files(inputs),
            "version": _version_state(inputs),
        }
    )


def _ignore_files(inputs: BuildInputs) -> dict[str, str]:
    """Return the digest of each `.gitignore` of a project and above it, if its backend leaves out what git ignores."""
    if inputs.backend not in BACKENDS_THAT_IGNORE:
        return {}
    top = repository_of(inputs.directory) or inputs.directory
    above = [each for each in (inputs.directory, *inputs.directory.parents) if each.is_relative_to(top)]
    files = [each / name for each in above for name in (".gitignore", ".hgignore")]
    return {os.path.relpath(each, inputs.directory): _digest_if_file(each) for each in files if each.is_file()}


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
    names = _without_generated(inputs.directory, names, generated)
    project = inputs.tables.get("project")
    resolved = {key: project[key] for key in _RESOLVED_KEYS if key in project} if isinstance(project, dict) else {}
    return {
        "tables": {**inputs.tables, "project": resolved},
        "build files": {name: _text_digest(inputs.texts[name]) for name in _SETUP_FILES if name in inputs.texts},
        "files": files_digest(inputs.directory, names, follow=True),
        "neighbors": _neighbors(inputs, generated) if files is None else {},
    }


def _without_generated(directory: Path, names: list[str], generated: GeneratedFiles) -> list[str]:
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
        os.path.relpath(each, inputs.directory): files_digest(
            each, _without_generated(each.resolve(), source_files(each), generated)
        )
        if each.is_dir()
        else _digest_if_file(each)
        for each in inputs.neighbors
    }


def _possible_inputs(inputs: BuildInputs, sources: Iterable[str]) -> list[str]:
    """Return the source files that a backend may read metadata from; not the results of builds in place."""
    return [
        name
        for name in sources
        if name not in inputs.generated and not LOCK_FILE.fullmatch(Path(name).name) and inputs.may_be_packaged(name)
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
    return sorted(each for each in tops if inputs.may_be_packaged(each if each.endswith(".py") else f"{each}/x.py"))


def _version_state(inputs: BuildInputs) -> object:
    if not inputs.versioned:
        return None
    try:
        return version_state(inputs.directory, without=LOCK_FILE)  # apply itself writes locks, which git may track
    except OSError as error:
        raise unreadable_source(error.filename, error) from error


def _text_digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _digest_if_file(path: Path) -> str:
    return file_digest(path) if path.is_file() else ""
