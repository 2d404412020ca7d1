"""Whether a lock is up to date: the digest of its inputs is the one that it was resolved from.

The digest is the same on every machine that has the same manifest and sources.
"""

from collections.abc import Mapping
from pathlib import Path

from reconciler.backticks import list_in_backticks
from reconciler.canonical_json import digest
from reconciler.errors import LockError
from reconciler.lock.lock_file import lock_path
from reconciler.lock.model import Lock, LockState
from reconciler.lock.sources import file_digest, resolution_digest
from reconciler.manifest.desired import DesiredEnvironment, DesiredState, Index, LocalProject


def lock_state(lock: Lock | None, environment: DesiredEnvironment, desired: DesiredState) -> LockState:
    """Return whether a lock is up to date; one that another tool wrote is out of date."""
    if lock is None:
        return LockState.MISSING
    return LockState.FRESH if lock.inputs == inputs_digest(environment, desired.indexes) else LockState.STALE


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


def inputs_digest(environment: DesiredEnvironment, indexes: tuple[Index, ...]) -> str:
    """Return the digest of everything that may change a resolution; paths and tool versions are not part of it.

    Reads what the dependencies of local projects are read from, and local archives; raises LockError if that fails.
    """
    project = environment.project
    return digest(
        {
            "requirements": sorted(
                {
                    (
                        line.text,
                        tuple(sorted(line.hashes)),
                        line.editable,
                        _local_digest(line.path) if line.path else "",
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
                "metadata": None if project.static else _project_digest(project),
            },
            "indexes": [{"url": index.url, "packages": sorted(index.packages)} for index in indexes],
            "exclude-newer": environment.exclude_newer,
            "prerelease": environment.prerelease,
            "python": environment.python,
        }
    )


def _local_digest(path: Path) -> str:
    """Return the digest of what a local directory or archive contributes to a resolution; it may not exist (yet)."""
    if path.is_dir():
        return resolution_digest(path)
    return file_digest(path) if path.is_file() else ""


def _project_digest(project: LocalProject) -> str:
    """Return the digest of what the dependencies of a project are read from, if only a build reveals them.

    A project of a git revision that is compared has no directory here: then its build files count.
    """
    return resolution_digest(project.path) if project.path.is_dir() else project.metadata_digest
