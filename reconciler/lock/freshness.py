"""Whether a lock is up to date: the digest of its inputs is the one that it was resolved from.

The digest is the same on every machine that has the same manifest and sources.
"""

from collections.abc import Mapping

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
    """Raise LockError if the lock of a selected environment is missing or out of date."""
    behind = [each.name for each in desired.environments if states[each.name] is not LockState.FRESH]
    if behind:
        name = lock_path(desired.locks, behind[0]).name
        missing = states[behind[0]] is LockState.MISSING
        raise LockError(
            f"`{name}` is {'missing' if missing else 'out of date'}, "
            "but `--locked` and `plan --out` require locks that are up to date",
            hint=f"run `envsync lock {' '.join(behind)}` and commit the result",
        )


def inputs_digest(environment: DesiredEnvironment, indexes: tuple[Index, ...]) -> str:
    """Return the digest of everything that may change a resolution; paths and tool versions are not part of it.

    Reads the metadata files of directories that requirements files name; raises LockError if that fails.
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
                        metadata_digest(line.path) if line.path else "",
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
        }
    )
