"""Whether a lock is up to date: the digest of its inputs is the one that it was resolved from.

The digest is the same on every machine that has the same manifest and sources.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.backticks import list_in_backticks
from reconciler.canonical_json import digest
from reconciler.errors import LockError, UnsetVariableError
from reconciler.lock.file_digests import file_digest
from reconciler.lock.lock_file import lock_path
from reconciler.lock.model import Lock, LockState
from reconciler.lock.source_digests import resolution_digest
from reconciler.manifest.desired import DesiredEnvironment, DesiredState, Index, LocalProject
from reconciler.manifest.index_rules import chosen_indexes
from reconciler.manifest.names import FROM_ENV
from reconciler.state.generated_files import GeneratedFiles, read_generated_files
from reconciler.state.layout import Layout


def lock_state(lock: Lock | None, environment: DesiredEnvironment, desired: DesiredState) -> LockState:
    """Return whether a lock is up to date; one that another tool wrote is out of date.

    So is one with the hash of a local archive that has different contents now. An archive that does not exist on this
    machine counts as unchanged. Raises LockError if a local project or archive cannot be read.
    """
    if lock is None:
        return LockState.MISSING
    generated = read_generated_files(Layout(desired.root))
    if lock.inputs != inputs_digest(environment, desired.indexes, generated) and not (
        environment.build_env.hashes and lock.inputs == _former_digest(environment, desired.indexes, generated)
    ):
        return LockState.STALE
    return LockState.STALE if _has_changed_archive(lock) else LockState.FRESH


def require_build_variables(environment: DesiredEnvironment) -> None:
    """Raise UnsetVariableError if the shell lacks a variable for builds: then nothing can be compared or built."""
    for name, place in environment.build_env.unset.items():
        raise UnsetVariableError(
            f"`{name}` is not set in the shell ({place})",
            hint=f"set it: `export {name}=VALUE`, or remove it from `{FROM_ENV}`",
        )


def local_archives(lock: Lock) -> dict[Path, str]:
    """Return the SHA-256 (hexadecimal) that a lock has for each local archive, by its path."""
    found = {}
    for package in lock.document.get("packages", []):
        archive = package.get("archive")
        if isinstance(archive, dict) and isinstance(archive.get("path"), str):
            found[lock.path.parent / archive["path"]] = str(archive.get("hashes", {}).get("sha256", ""))
    return found


def _has_changed_archive(lock: Lock) -> bool:
    return any(path.is_file() and file_digest(path) != sha256 for path, sha256 in local_archives(lock).items())


def require_fresh(desired: DesiredState, states: Mapping[str, LockState]) -> None:
    """Raise LockError that names every lock of `states` (by environment) that is missing or out of date.

    One that cannot be read blocks only its environment.
    """
    missing = [name for name, state in states.items() if state is LockState.MISSING]
    stale = [name for name, state in states.items() if state is LockState.STALE]
    behind = sorted([*missing, *stale])
    if behind:
        found = [f"{_files(desired, missing)} missing"] if missing else []
        found += [f"{_files(desired, stale)} out of date"] if stale else []
        raise LockError(
            f"{', and '.join(found)}, but `--locked` and `plan --out` require locks that are up to date",
            hint=f"run `envsync lock {' '.join(behind)}` and commit the result",
        )


def _files(desired: DesiredState, names: list[str]) -> str:
    """Return the names of locks in backticks with their verb: one `is`, several `are`."""
    files = [lock_path(desired.locks, name).name for name in names]
    return f"{list_in_backticks(files)} {'is' if len(files) == 1 else 'are'}"


def present_inputs(environment: DesiredEnvironment, desired: DesiredState) -> str:
    """Return the digest of everything that may change a resolution, on this machine; see `inputs_digest`."""
    return inputs_digest(environment, desired.indexes, read_generated_files(Layout(desired.root)))


def inputs_digest(environment: DesiredEnvironment, indexes: tuple[Index, ...], generated: GeneratedFiles) -> str:
    """Return the digest of everything that may change a resolution; paths and tool versions are not part of it.

    Of the variables that builds take from the shell, only the names are: a lock is committed, and a value could be
    found by trial. Reads what the dependencies of local projects are read from, except `generated` files; raises
    LockError if that fails.
    """
    variables = environment.build_env
    names = {"from-env": sorted(variables.hashes), "set": dict(variables.variables)}
    return _digest(environment, indexes, generated, names if variables.hashes else variables.variables)


def _former_digest(environment: DesiredEnvironment, indexes: tuple[Index, ...], generated: GeneratedFiles) -> str:
    """Return the digest that envsync wrote before it left out the values of the shell."""
    return _digest(environment, indexes, generated, environment.build_env.recorded)


def _digest(
    environment: DesiredEnvironment, indexes: tuple[Index, ...], generated: GeneratedFiles, variables: Mapping[str, Any]
) -> str:
    project, lock = environment.project, environment.lock
    taken = lock and {
        "path": lock.relative,
        "sha256": lock.sha256,
        "extras": sorted(lock.extras),
        "groups": sorted(lock.groups),
    }
    return digest(
        {
            "requirements": sorted(
                {
                    (
                        line.text,
                        tuple(sorted(line.hashes)),
                        line.editable,
                        resolution_digest(line.path, generated) if line.path and line.path.is_dir() else "",
                        *([line.name, line.replaces] if line.name else []),
                    )
                    for line in environment.requirements
                }
            ),
            "constraints": sorted(set(environment.constraints)),
            "overrides": sorted(set(environment.overrides)),
            "project": project
            and {
                "name": project.name,
                "path": project.relative,
                "editable": project.editable,
                "extras": sorted(project.extras),
                "groups": sorted(project.groups),
                "requirements": sorted(set(project.requirements)),
                "metadata": None if project.static else _project_digest(project, generated),
            },
            "indexes": [_index(index) for index in chosen_indexes(indexes, environment.indexes)],
            "exclude-newer": environment.exclude_newer,
            "prerelease": environment.prerelease,
            "python": environment.python,
            **({"build-env": variables} if environment.build_env else {}),
            # Keys that older locks do not have: their digests remain the same.
            **({"lock": taken} if taken else {}),
            **({"local-names": sorted(environment.local_names)} if environment.local_names else {}),
        }
    )


def _project_digest(project: LocalProject, generated: GeneratedFiles) -> str:
    """Return the digest of what the dependencies of a project are read from, if only a build reveals them.

    A project of a git revision that is compared has no directory here: then its build files count.
    """
    return resolution_digest(project.path, generated) if project.path.is_dir() else project.metadata_digest


def _index(index: Index) -> dict[str, object]:
    """Return the inputs of an index; `default` only if it changes something, so that older locks stay valid."""
    values: dict[str, object] = {"url": index.relative or index.url, "packages": sorted(index.packages)}
    implied = not index.packages
    return values if index.replaces_default is implied else {**values, "default": index.default}
