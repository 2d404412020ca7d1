"""Expands a Manifest to a DesiredState: templates, matrix, requirements files, local projects, and the selection."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from reconciler.canonical_json import digest
from reconciler.errors import Problem
from reconciler.manifest import defaults
from reconciler.manifest.desired import DesiredEnvironment, DesiredState, Index, InputFile
from reconciler.manifest.expand_environment import EnvironmentExpander
from reconciler.manifest.inheritance import InheritedEntry, inherited_entries
from reconciler.manifest.input_files import InputFiles
from reconciler.manifest.matrix_members import Member, member_entry, members_of
from reconciler.manifest.problem_limit import manifest_error
from reconciler.manifest.reach import reach_of
from reconciler.manifest.selection import EnvironmentOutline, select_environments
from reconciler.manifest.text_file import UnreadableFileError
from reconciler.manifest.urls import is_relative_directory

if TYPE_CHECKING:
    from reconciler.manifest import models
    from reconciler.manifest.models import Manifest

_NO_LABELS: Mapping[str, str] = MappingProxyType({})


def expand(
    manifest: "Manifest",
    *,
    names: Sequence[str] = (),
    labels: Mapping[str, str] = _NO_LABELS,
    files: InputFiles | None = None,
    ambient: Mapping[str, str] | None = None,
) -> DesiredState:
    """Return the desired state: every environment, or those that `names` and `labels` select with their dependencies.

    Reads the files that the manifest names, from disk unless `files` is given. `ambient` are the variables of the
    shell, for `build_env`; with None, their values count as empty. Raises ManifestError with every error
    in the files of selected environments, and UsageError if the selection matches no environment.
    """
    directory = manifest.file.parent
    files = files or InputFiles()
    files.reach = reach_of(directory, manifest.allow_paths)
    entries = inherited_entries(manifest.templates, manifest.environments)
    matrices = {name: made for name, entry in entries.items() if (made := _members(name, entry))}
    chosen = _select(entries, matrices, names=names, labels=labels)
    environments: dict[str, DesiredEnvironment] = {}
    indexes = _indexes(manifest)
    # An error in a file of an environment that is not selected must not matter: the selected ones are read first.
    for selected in (True, False):
        expander = EnvironmentExpander(
            source=manifest.source,
            directory=directory,
            files=files,
            indexes=indexes,
            ambient=ambient if selected else None,
        )
        for name, entry in sorted(entries.items()):
            if any(each in chosen for each in _made(name, matrices)) is selected:
                expanded = _expanded(name, entry, matrices, expander)
                environments |= {each: replace(found, access=manifest.access) for each, found in expanded.items()}
        if selected and (found_problems := [*_locks_problems(manifest, files), *expander.problems]):
            problems = sorted(dict.fromkeys(found_problems), key=partial(_order, str(manifest.file)))
            raise manifest_error(problems, str(manifest.file))
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
        allow_paths=manifest.allow_paths,
        inputs=tuple(sorted((source, *files.read_so_far()))),
    )


def _locks_problems(manifest: "Manifest", files: InputFiles) -> Iterator[Problem]:
    """Yield a problem if the directory of the locks is out of reach."""
    try:
        files.require(Path(os.path.normpath(manifest.file.parent.absolute() / manifest.locks)), is_project=True)
    except UnreadableFileError as error:
        yield manifest.source.problem(f"{manifest.locks}: {error.message}", ("locks",), hint=error.hint)


def environments_by_entry(manifest: "Manifest") -> dict[str, tuple[str, ...]]:
    """Return the environments of each entry: its own name, or the members of its matrix by version."""
    entries = inherited_entries(manifest.templates, manifest.environments)
    return {name: tuple(_members(name, entry)) or (name,) for name, entry in sorted(entries.items())}


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
        keep_deleted=manifest.keep_deleted,
        indexes=_indexes(manifest),
        access=manifest.access,
        allow_paths=manifest.allow_paths,
        declared=frozenset(made for name, entry in entries.items() for made in _members(name, entry) or (name,)),
        selected=True,
    )


def _indexes(manifest: "Manifest") -> tuple[Index, ...]:
    return tuple(_index(each, manifest.file.parent.absolute()) for each in manifest.indexes)


def _index(index: "models.Index", directory: Path) -> Index:
    """Return an index of the manifest in `directory`; a relative directory becomes a `file:` URL."""
    relative = os.path.normpath(index.url) if is_relative_directory(index.url) else ""
    url = Path(os.path.normpath(directory / relative)).as_uri() if relative else index.url
    return Index(
        name=index.name,
        url=url,
        packages=index.packages,
        default=index.default,
        relative=relative,
        file_hosts=index.file_hosts,
    )


def _select(
    entries: Mapping[str, InheritedEntry],
    matrices: Mapping[str, Mapping[str, Member]],
    *,
    names: Sequence[str],
    labels: Mapping[str, str],
) -> frozenset[str]:
    """Return the names of the selected environments; raises UsageError if there are none."""
    outlines = {}
    for name, entry in entries.items():
        for made, keys in _member_entries(name, entry, matrices).items():
            depends_on = tuple(one for each in keys.values("depends_on") for one in _made(each, matrices))
            outlines[made] = EnvironmentOutline(labels=keys.mapping("labels"), depends_on=depends_on)
    return select_environments(outlines, matrices, names=names, labels=labels)


def _made(name: str, matrices: Mapping[str, Mapping[str, Member]]) -> tuple[str, ...]:
    """Return the environments that the entry `name` makes: those of its matrix, or one of the same name."""
    return tuple(matrices.get(name) or (name,))


def _member_entries(
    name: str, entry: InheritedEntry, matrices: Mapping[str, Mapping[str, Member]]
) -> dict[str, InheritedEntry]:
    """Return the keys of each environment that the entry `name` makes."""
    if name not in matrices:
        return {name: entry}
    return {made: member_entry(entry, member) for made, member in matrices[name].items()}


def _expanded(
    name: str,
    entry: InheritedEntry,
    matrices: Mapping[str, Mapping[str, Member]],
    expander: EnvironmentExpander,
) -> dict[str, DesiredEnvironment]:
    """Return the environments that one entry makes, by name."""
    found = {}
    matrix = entry.section("matrix")
    for made, keys in _member_entries(name, entry, matrices).items():
        environment = expander.expand(name, keys)
        depends_on = {one for each in environment.depends_on for one in _made(each, matrices)}
        environment = replace(environment, name=made, depends_on=tuple(sorted(depends_on)))
        if matrix is not None and name in matrices:
            python = matrices[name][made].values.get("python")
            environment = replace(
                environment,
                python=python.text if python else environment.python,
                python_place=str(expander.source.value_place(python.path)) if python else environment.python_place,
                optional=matrix.value("if_available", defaults.MATRIX_IF_AVAILABLE),
            )
        found[made] = environment
    return found


def _members(name: str, entry: InheritedEntry) -> dict[str, Member]:
    """Return the members of an entry's matrix by the names of their environments; empty without a matrix."""
    return {each.name: each for each in members_of(name, entry.tree("matrix"))}


def _digest(manifest: "Manifest", indexes: tuple[Index, ...], environments: Mapping[str, DesiredEnvironment]) -> str:
    """Return the digest of the desired state; it is the same in every directory and on every machine."""
    return digest(
        {
            "project": manifest.project,
            "root": None if Path(manifest.root).is_absolute() else os.path.normpath(manifest.root),
            "locks": os.path.normpath(manifest.locks),
            **({"allow_paths": manifest.allow_paths} if manifest.allow_paths else {}),
            "cache": manifest.cache,
            "keep_deleted": manifest.keep_deleted,
            "access": manifest.access,
            "indexes": [replace(each, url="") if each.relative else each for each in indexes],
            "environments": [_placeless(environments[name]) for name in sorted(environments)],
        }
    )


def _placeless(environment: DesiredEnvironment) -> DesiredEnvironment:
    """Return the environment without places and absolute paths; its texts still contain relative paths."""
    project, lock, variables = environment.project, environment.lock, environment.build_env
    return replace(
        environment,
        place="",
        python_place="",
        build_env=replace(variables, from_env={}, hashes=dict.fromkeys(variables.hashes, ""), unset={}),
        exceptions=tuple(replace(each, place="", expired=False) for each in environment.exceptions),
        requirements=tuple(replace(line, source="", path=None) for line in environment.requirements),
        project=project and replace(project, path=Path(project.relative)),
        lock=lock and replace(lock, path=Path(lock.relative)),
    )
