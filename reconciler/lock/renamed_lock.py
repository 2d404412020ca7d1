"""The lock of a renamed environment: until `envsync lock` renames it, the file has the former name."""

from dataclasses import replace

from reconciler.lock.freshness import lock_state, require_build_variables
from reconciler.lock.lock_file import lock_path, read_lock
from reconciler.lock.model import Lock, LockState
from reconciler.lock.refused_lock import require_allowed
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from reconciler.manifest.reach import reach_of_state


def read_present_lock(environment: DesiredEnvironment, desired: DesiredState) -> tuple[Lock | None, LockState]:
    """Return the lock of an environment and whether it is up to date.

    If it has none, the lock of its former name counts: a rename changes no input of a resolution. The path of the lock
    is then that file. Raises LockError if the file cannot be used, RefusedLockError if the manifest does not allow its
    contents, or UnsetVariableError.
    """
    require_build_variables(environment)
    name, former = environment.name, environment.renamed_from
    reach = reach_of_state(desired)
    lock = read_lock(lock_path(desired.locks, name), name, reach)
    if lock is not None or not former:
        return lock, _checked_state(lock, environment, desired)
    lock = read_lock(lock_path(desired.locks, former), name, reach)
    state = _checked_state(lock, environment, desired)
    return lock, LockState.MISSING if state is LockState.STALE else state


def _checked_state(lock: Lock | None, environment: DesiredEnvironment, desired: DesiredState) -> LockState:
    """Return whether a lock is up to date. One that is not is made again, so that only the others can be refused."""
    state = lock_state(lock, environment, desired)
    if lock is not None and state is LockState.FRESH:
        require_allowed(lock, environment, desired)
    return state


def with_present_name(lock: Lock) -> Lock:
    """Return the same lock, to be written to the file of the environment's present name."""
    return replace(lock, path=lock_path(lock.path.parent, lock.environment))
