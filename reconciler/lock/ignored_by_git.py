"""Files of a local project that its build backend leaves out of the wheel because git ignores them.

hatchling and poetry-core do so, unless their tables name the file. Only what is certain counts as left out
(`reconciler.lock.ignore_patterns`): any other file is one that the wheel may contain. Files that git tracks are never
left out.
"""

import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from reconciler.fs.read import read_regular
from reconciler.fs.repository_top import repository_of
from reconciler.lock.build_file_values import hatch_build_tables, strings, table
from reconciler.lock.build_inputs import BuildInputs
from reconciler.lock.build_paths import IN_EVERY_WHEEL
from reconciler.lock.ignore_patterns import IgnoreRules, parse_ignore_file, parse_patterns

BACKENDS_THAT_IGNORE = frozenset({"hatchling", "poetry"})  # what git ignores
_IGNORE_FILE = ".gitignore"
# The tables of hatchling that take files into the wheel although git ignores them: with all files below a directory,
# and without.
_TAKEN_TREES = (*IN_EVERY_WHEEL, "sbom-files")
_TAKEN_FILES = ("only-include", "packages")
_READING_HOOKS = frozenset({"requirements_txt", "vcs"})  # of the metadata: they read only files that tables name

# Returns whether the wheel certainly lacks a file of the project (POSIX path), if git does not track it.
LeftOut: TypeAlias = Callable[[str], bool]


def left_out(inputs: BuildInputs, names: Iterable[str], tracked: Collection[str]) -> frozenset[str]:
    """Return those source files `names` of a project that its build neither packages nor reads: git ignores them.

    `tracked` are those that git tracks.
    """
    if inputs.metadata_from is None or not inputs.declarative:  # its build may read any file
        return frozenset()
    is_left_out = left_out_files(inputs.directory, inputs.backend, inputs.tables, tracked=tracked)
    used = {*tracked, *(os.path.relpath(each, inputs.directory) for each in inputs.metadata_from)}
    return frozenset(name for name in names if name not in used and is_left_out(name))


def nothing_left_out(_: str) -> bool:
    """Return False."""
    return False


def left_out_files(directory: Path, backend: str, tables: Mapping[str, Any], *, tracked: Collection[str]) -> LeftOut:
    """Return what `backend` leaves out of a wheel of the project in `directory` (without symbolic links).

    `tracked` are the files of the project that git tracks.
    """
    match backend:
        case "hatchling":
            return _left_out_by_hatchling(directory, tables)
        case "poetry":
            return _left_out_by_poetry(directory, tables, is_tracked="pyproject.toml" in tracked)
        case _:
            return nothing_left_out


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hatchling:
    """hatchling reads the nearest ignore file, and takes all its patterns as relative to the project."""

    ignored: IgnoreRules
    taken: IgnoreRules
    taken_trees: frozenset[str]
    taken_files: frozenset[str]

    def __call__(self, name: str) -> bool:
        return (
            self.ignored.certainly_match(name)
            and not (name.endswith(".py") and "/" not in name)  # it may be the module with the name of the project
            and name not in self.taken_files
            and not self.taken.possibly_match(name)
            and self.taken_trees.isdisjoint({name, *_parents(name)})
        )


def _left_out_by_hatchling(directory: Path, tables: Mapping[str, Any]) -> LeftOut:
    hatch = table(table(tables, "tool"), "hatch")
    places = hatch_build_tables(tables)
    content = _nearest_ignore_file(directory)
    mercurial = any((each / ".hgignore").exists() for each in (directory, *directory.parents))
    hooks = set(table(table(hatch, "metadata"), "hooks"))
    if content is None or mercurial or not hooks <= _READING_HOOKS or any(each.get("ignore-vcs") for each in places):
        return nothing_left_out
    ignored = parse_ignore_file(content)
    if ignored.possibly_match(str(directory).lstrip("/")):  # then hatchling ignores nothing
        return nothing_left_out
    excluded = parse_patterns([text for each in places for text in strings(each.get("exclude", []))])
    return _Hatchling(
        ignored=replace(ignored, kept=ignored.kept + excluded.kept),
        taken=parse_patterns([text for each in places for text in strings(each.get("artifacts", []))]),
        taken_trees=_paths(directory, places, _TAKEN_TREES),
        taken_files=_paths(directory, places, _TAKEN_FILES),
    )


def _nearest_ignore_file(directory: Path) -> bytes | None:
    """Return the content of the `.gitignore` of a project, or of the nearest directory above it in its repository."""
    for each in (directory, *directory.parents):
        if (each / _IGNORE_FILE).is_file():
            return _read(each / _IGNORE_FILE, follow=True)
        if (each / ".git").exists():
            break
    return None


def _paths(directory: Path, places: list[Mapping[str, Any]], keys: tuple[str, ...]) -> frozenset[str]:
    """Return the paths in tables, relative to the project: the keys of a table, or the strings of a list.

    A path of the project itself, or of a directory that it is in, is an empty string.
    """
    values = [each.get(key) for each in places for key in keys]
    texts = [text for each in values if isinstance(each, dict | list) for text in each if isinstance(text, str)]
    found = (os.path.relpath(directory / Path(each).expanduser(), directory) for each in texts)
    return frozenset("" if PurePosixPath(each).name in {"", ".."} else each for each in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Poetry:
    """poetry-core asks git, which reads the ignore file of each directory from the top to the file.

    `rules_in` returns the patterns of a directory of the repository, and `project` is the path of the project in it.
    git follows no symbolic link to an ignore file.
    """

    rules_in: Callable[[str], IgnoreRules]
    project: str
    taken: IgnoreRules

    def __call__(self, name: str) -> bool:
        if self.taken.possibly_match(name):
            return False
        path = os.path.normpath(f"{self.project}/{name}")
        found = [(self.rules_in(each), os.path.relpath(path, each)) for each in _parents(path)]
        return any(rules.certainly_match(inner) for rules, inner in found) and not any(
            rules.possibly_keep(inner) for rules, inner in found
        )


def _left_out_by_poetry(directory: Path, tables: Mapping[str, Any], *, is_tracked: bool) -> LeftOut:
    top = repository_of(directory)
    # If a project is ignored itself, poetry-core does not ask git. One with a tracked file is not.
    if top is None or (top != directory and not is_tracked) or shutil.which("git") is None:
        return nothing_left_out
    included = table(table(tables, "tool"), "poetry").get("include", [])

    @cache
    def rules_in(folder: str) -> IgnoreRules:
        return parse_ignore_file(_read(top / folder / _IGNORE_FILE, follow=False) or b"")

    project = directory.relative_to(top).as_posix()
    return _Poetry(rules_in=rules_in, project=project, taken=parse_patterns(strings(included)))


def _parents(name: str) -> Iterator[str]:
    """Yield the directories above a file: an empty string for the project, and each below it."""
    yield ""
    yield from (each.as_posix() for each in PurePosixPath(name).parents[:-1])


def _read(path: Path, *, follow: bool) -> bytes | None:
    try:
        return read_regular(path, follow=follow)
    except OSError:
        return None
