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
from reconciler.manifest.desired import DesiredEnvironment, DesiredState, Index, InputFile
from reconciler.manifest.expand_environment import EnvironmentExpander
from reconciler.manifest.inheritance import InheritedEntry, inherited_entries
from reconciler.manifest.input_files import InputFiles
from reconciler.manifest.names import matrix_environment_name
from reconciler.manifest.selection import select_environments

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
    in those files, and UsageError if the selection matches no environment.
    """
    directory = manifest.file.parent
    files = files or InputFiles()
    expander = EnvironmentExpander(source=manifest.source, directory=directory, files=files)
    entries = inherited_entries(manifest.templates, manifest.environments)
    matrices = {name: versions for name, entry in entries.items() if (versions := _matrix_environments(name, entry))}
    environments: dict[str, DesiredEnvironment] = {}
    for name, entry in sorted(entries.items()):
        environment = expander.expand(name, entry)
        depends_on = {made for each in environment.depends_on for made in matrices.get(each) or (each,)}
        environment = replace(environment, depends_on=tuple(sorted(depends_on)))
        for made, python in matrices.get(name, {name: environment.python}).items():
            environments[made] = replace(environment, name=made, python=python)
    if expander.problems:
        raise ManifestError(tuple(sorted(dict.fromkeys(expander.problems), key=partial(_order, str(manifest.file)))))
    indexes = tuple(Index(name=each.name, url=each.url, packages=each.packages) for each in manifest.indexes)
    base = directory.absolute()
    source = InputFile(path=manifest.file.absolute(), sha256=manifest.source.sha256)
    return DesiredState(
        project=manifest.project,
        file=manifest.file,
        root=Path(os.path.normpath(base / manifest.root)),
        locks=Path(os.path.normpath(base / manifest.locks)),
        digest=_digest(manifest, indexes, environments),
        cache=manifest.cache,
        indexes=indexes,
        environments=select_environments(environments, matrices, names=names, labels=labels),
        declared=frozenset(environments),
        selected=bool(names or labels),
        inputs=tuple(sorted((source, *files.read_so_far()))),
    )


def _order(manifest: str, problem: Problem) -> tuple[bool, str, int, int]:
    """Return the sort key of a problem: the manifest's own first, then by file, each file from top to bottom."""
    place = problem.place
    return (place.file != manifest, place.file, place.line, place.column) if place else (False, "", 0, 0)


def _matrix_environments(name: str, entry: InheritedEntry) -> dict[str, str]:
    """Return the Python version of each environment that an entry's matrix creates, by the environment's name."""
    matrix = entry.section("matrix")
    return {matrix_environment_name(name, version): version for version in matrix.values("python")} if matrix else {}


def _digest(manifest: "Manifest", indexes: tuple[Index, ...], environments: Mapping[str, DesiredEnvironment]) -> str:
    """Return the digest of the desired state; it is the same in every directory and on every machine."""
    return digest(
        {
            "project": manifest.project,
            "root": None if Path(manifest.root).is_absolute() else os.path.normpath(manifest.root),
            "locks": os.path.normpath(manifest.locks),
            "cache": manifest.cache,
            "indexes": indexes,
            "environments": [_placeless(environments[name]) for name in sorted(environments)],
        }
    )


def _placeless(environment: DesiredEnvironment) -> DesiredEnvironment:
    """Return the environment without places and absolute paths; its texts still contain relative paths."""
    project = environment.project
    return replace(
        environment,
        place="",
        exceptions=tuple(replace(each, place="", expired=False) for each in environment.exceptions),
        requirements=tuple(replace(line, source="", path=None) for line in environment.requirements),
        project=project and replace(project, path=Path(project.relative)),
    )
