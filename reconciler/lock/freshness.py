"""Whether a lock is up to date: the digest of its inputs is the one that it was resolved from.

The digest is the same on every machine that has the same manifest and sources.
"""

from collections.abc import Mapping

from reconciler.backticks import list_in_backticks
from reconciler.canonical_json import digest
from reconciler.errors import LockError
from reconciler.lock.lock_file import lock_path
from reconciler.lock.model import Lock, LockState
from reconciler.lock.sources import metadata_digest
from reconciler.manifest.desired import DesiredEnvironment, DesiredState, Index


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

    Reads the metadata files of directories that requirements files name; raises LockError if that fails.
    """
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
                        metadata_digest(line.path) if line.path else "",
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
                # If only a build reveals the dependencies, any change of the metadata files may have changed them.
                "metadata": None if project.static else project.metadata_digest,
            },
            "indexes": [{"url": index.url, "packages": sorted(index.packages)} for index in indexes],
            "exclude-newer": environment.exclude_newer,
            "prerelease": environment.prerelease,
            "python": environment.python,
            # Keys that older locks do not have: their digests remain the same.
            **({"lock": taken} if taken else {}),
            **({"local-names": sorted(environment.local_names)} if environment.local_names else {}),
        }
    )
