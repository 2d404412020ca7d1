"""Expands a Manifest to a DesiredState: templates, matrix, requirements files, local projects, and the selection."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from reconciler.canonical_json import digest
from reconciler.errors import ManifestError, Problem
from reconciler.manifest import defaults
from reconciler.manifest.desired import DesiredEnvironment, DesiredState, Index, InputFile
from reconciler.manifest.expand_environment import EnvironmentExpander
from reconciler.manifest.inheritance import InheritedEntry, PlacedValue, inherited_entries
from reconciler.manifest.input_files import InputFiles
from reconciler.manifest.names import matrix_environment_name
from reconciler.manifest.selection import EnvironmentOutline, select_environments

if TYPE_CHECKING:
    from reconciler.manifest.models import Manifest

_NO_LABELS: Mapping[str, str] = MappingProxyType({})


def expand(
    manifest: "Manifest",
    *,
    names: Sequence[str] = (),
    labels: Mapping[str, str] = _NO_LABELS,
    files: InputFiles | None = None,
) -> DesiredState:
    """Return the desired state: every environment, or those that `names` and `labels` select with their dependencies.

    Reads the files that the manifest names, from disk unless `files` is given. Raises ManifestError with every error
    in the files of selected environments, and UsageError if the selection matches no environment.
    """
    directory = manifest.file.parent
    files = files or InputFiles()
    entries = inherited_entries(manifest.templates, manifest.environments)
    matrices = {name: made for name, entry in entries.items() if (made := _matrix_environments(name, entry))}
    chosen = _select(entries, matrices, names=names, labels=labels)
    environments: dict[str, DesiredEnvironment] = {}
    indexes = _indexes(manifest)
    # An error in a file of an environment that is not selected must not matter: the selected ones are read first.
    for selected in (True, False):
        expander = EnvironmentExpander(source=manifest.source, directory=directory, files=files, indexes=indexes)
        for name, entry in sorted(entries.items()):
            if any(each in chosen for each in _made(name, matrices)) is selected:
                expanded = _expanded(name, entry, matrices, expander)
                environments |= {each: replace(found, access=manifest.access) for each, found in expanded.items()}
        if selected and expander.problems:
            problems = sorted(dict.fromkeys(expander.problems), key=partial(_order, str(manifest.file)))
            raise ManifestError(tuple(problems))
    base = directory.absolute()
    source = InputFile(path=manifest.file.absolute(), sha256=manifest.source.sha256)
    return DesiredState(
        project=manifest.project,
        file=manifest.file,
        root=Path(os.path.normpath(base / manifest.root)),
        locks=Path(os.path.normpath(base / manifest.locks)),
        digest=_digest(manifest, indexes, environments),
        cache=manifest.cache,
        keep_deleted=manifest.keep_deleted,
        access=manifest.access,
        indexes=indexes,
        environments=tuple(environments[name] for name in sorted(chosen)),
        declared=frozenset(environments),
        selected=bool(names or labels),
        inputs=tuple(sorted((source, *files.read_so_far()))),
    )


def environments_by_entry(manifest: "Manifest") -> dict[str, tuple[str, ...]]:
    """Return the environments of each entry: its own name, or one for each Python version of its matrix."""
    entries = inherited_entries(manifest.templates, manifest.environments)
    return {name: tuple(_matrix_environments(name, entry)) or (name,) for name, entry in sorted(entries.items())}


def _order(manifest: str, problem: Problem) -> tuple[bool, str, int, int]:
    """Return the sort key of a problem: the manifest's own first, then by file, each file from top to bottom."""
    place = problem.place
    return (place.file != manifest, place.file, place.line, place.column) if place else (False, "", 0, 0)


def declared_state(manifest: "Manifest") -> DesiredState:
    """Return the desired state without environments: where everything is, and which names are declared.

    Reads no file that the manifest names.
    """
    entries = inherited_entries(manifest.templates, manifest.environments)
    base = manifest.file.parent.absolute()
    return DesiredState(
        project=manifest.project,
        file=manifest.file,
        root=Path(os.path.normpath(base / manifest.root)),
        locks=Path(os.path.normpath(base / manifest.locks)),
        digest="",
        cache=manifest.cache,
        indexes=_indexes(manifest),
        access=manifest.access,
        declared=frozenset(
            made for name, entry in entries.items() for made in _matrix_environments(name, entry) or (name,)
        ),
        selected=True,
    )


def _indexes(manifest: "Manifest") -> tuple[Index, ...]:
    return tuple(Index(name=each.name, url=each.url, packages=each.packages) for each in manifest.indexes)


def _select(
    entries: Mapping[str, InheritedEntry],
    matrices: Mapping[str, Mapping[str, PlacedValue]],
    *,
    names: Sequence[str],
    labels: Mapping[str, str],
) -> frozenset[str]:
    """Return the names of the selected environments; raises UsageError if there are none."""
    outlines = {}
    for name, entry in entries.items():
        depends_on = tuple(made for each in entry.values("depends_on") for made in _made(each, matrices))
        for made in _made(name, matrices):
            outlines[made] = EnvironmentOutline(labels=entry.mapping("labels"), depends_on=depends_on)
    return select_environments(outlines, matrices, names=names, labels=labels)


def _made(name: str, matrices: Mapping[str, Mapping[str, PlacedValue]]) -> tuple[str, ...]:
    """Return the environments that the entry `name` makes: those of its matrix, or one of the same name."""
    return tuple(matrices.get(name) or (name,))


def _expanded(
    name: str,
    entry: InheritedEntry,
    matrices: Mapping[str, Mapping[str, PlacedValue]],
    expander: EnvironmentExpander,
) -> dict[str, DesiredEnvironment]:
    """Return the environments that one entry makes, by name."""
    environment = expander.expand(name, entry)
    depends_on = {made for each in environment.depends_on for made in _made(each, matrices)}
    environment = replace(environment, depends_on=tuple(sorted(depends_on)))
    matrix = entry.section("matrix")
    if matrix is None or name not in matrices:
        return {name: environment}
    return {
        made: replace(
            environment,
            name=made,
            python=python.value,
            python_place=str(expander.source.value_place(python.path)),
            optional=matrix.value("if_available", defaults.MATRIX_IF_AVAILABLE),
        )
        for made, python in matrices[name].items()
    }


def _matrix_environments(name: str, entry: InheritedEntry) -> dict[str, PlacedValue]:
    """Return the Python version of each environment that an entry's matrix creates, by the environment's name."""
    matrix = entry.section("matrix")
    found = matrix.placed_values("python") if matrix else ()
    return {matrix_environment_name(name, each.value): each for each in found}


def _digest(manifest: "Manifest", indexes: tuple[Index, ...], environments: Mapping[str, DesiredEnvironment]) -> str:
    """Return the digest of the desired state; it is the same in every directory and on every machine."""
    return digest(
        {
            "project": manifest.project,
            "root": None if Path(manifest.root).is_absolute() else os.path.normpath(manifest.root),
            "locks": os.path.normpath(manifest.locks),
            "cache": manifest.cache,
            "keep_deleted": manifest.keep_deleted,
            "access": manifest.access,
            "indexes": indexes,
            "environments": [_placeless(environments[name]) for name in sorted(environments)],
        }
    )


def _placeless(environment: DesiredEnvironment) -> DesiredEnvironment:
    """Return the environment without places and absolute paths; its texts still contain relative paths."""
    project, lock = environment.project, environment.lock
    return replace(
        environment,
        place="",
        python_place="",
        exceptions=tuple(replace(each, place="", expired=False) for each in environment.exceptions),
        requirements=tuple(replace(line, source="", path=None) for line in environment.requirements),
        project=project and replace(project, path=Path(project.relative)),
        lock=lock and replace(lock, path=Path(lock.relative)),
    )
