"""Manifest to DesiredState: templates, matrix, requirement files and local projects resolved, then a selection made."""

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
from reconciler.manifest.entries import Entry, whole_entries
from reconciler.manifest.environments import EnvironmentReader
from reconciler.manifest.input_files import InputFiles
from reconciler.manifest.matrix import cell_name
from reconciler.manifest.select import select

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
    """Return what the manifest asks for: every environment, or those of `names` and `labels` with their dependencies.

    Reads the files that the manifest names, on disk unless `files` has them; raises ManifestError with all that is
    wrong in them, UsageError for a selection that fits nothing.
    """
    directory = manifest.file.parent
    files = files or InputFiles()
    reader = EnvironmentReader(source=manifest.source, directory=directory, files=files)
    entries = whole_entries(manifest.templates, manifest.environments)
    cells = {name: made for name, entry in entries.items() if (made := _cells(name, entry))}
    environments: dict[str, DesiredEnvironment] = {}
    for name, entry in sorted(entries.items()):
        environment = reader.environment(name, entry)
        depends_on = {cell for each in environment.depends_on for cell in cells.get(each) or (each,)}
        environment = replace(environment, depends_on=tuple(sorted(depends_on)))
        for cell, python in cells.get(name, {name: environment.python}).items():
            environments[cell] = replace(environment, name=cell, python=python)
    if reader.problems:
        raise ManifestError(tuple(sorted(dict.fromkeys(reader.problems), key=partial(_order, str(manifest.file)))))
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
        environments=select(environments, cells, names=names, labels=labels),
        declared=frozenset(environments),
        selected=bool(names or labels),
        inputs=tuple(sorted((source, *files.seen()))),
    )


def _order(manifest: str, problem: Problem) -> tuple[bool, str, int, int]:
    """Sort the manifest's own problems first, then those of other files; each file's from top to bottom."""
    place = problem.place
    return (place.file != manifest, place.file, place.line, place.column) if place else (False, "", 0, 0)


def _cells(name: str, entry: Entry) -> dict[str, str]:
    """Return the Python version of each environment that an entry's matrix makes, by its name."""
    matrix = entry.below("matrix")
    return {cell_name(name, version): version for version in matrix.plain("python")} if matrix else {}


def _digest(manifest: "Manifest", indexes: tuple[Index, ...], environments: Mapping[str, DesiredEnvironment]) -> str:
    """Return the digest of all that the manifest asks for, wherever on whichever machine it lies."""
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
    """Return the environment without places and absolute paths; its texts name local paths relatively."""
    project = environment.project
    return replace(
        environment,
        place="",
        requirements=tuple(replace(line, source="", path=None) for line in environment.requirements),
        project=project and replace(project, path=Path(project.relative)),
    )
