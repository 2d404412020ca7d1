"""DesiredState and locks to Target: which interpreter, which lock, which packages each environment is to have."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.diff.model import LockState, Target
from reconciler.engines.engine import Engine
from reconciler.errors import EnvsyncError, LockError, UsageError
from reconciler.events import Failure
from reconciler.interpreters.choose import Chooser
from reconciler.interpreters.model import Interpreter
from reconciler.lock.inputs import inputs_digest
from reconciler.lock.lock_file import lock_path, read_lock
from reconciler.lock.model import Lock
from reconciler.lock.resolve import ResolveOptions
from reconciler.lock.resolve_all import resolve_all
from reconciler.lock.select import select_packages
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from reconciler.state.applied import Applied


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOptions:
    """What to do about a lock that is missing or stale.

    `resolve` None leaves its packages unknown (`check` never resolves); `locked` makes it an error.
    """

    resolve: ResolveOptions | None = None
    locked: bool = False


def aim(
    desired: DesiredState,
    interpreters: Chooser,
    engine: Engine | None,
    applied: Mapping[str, Applied],
    options: LockOptions,
) -> dict[str, Target]:
    """Return the target of every selected environment, by name.

    One that could not be locked has a failure for a target; the others are no worse for it. Without an engine nothing
    is resolved. Raises InterpreterError,
    or LockError for a lock that is there and unfit; the first by name.
    """
    chosen = {each.name: _interpreter(each, interpreters, applied.get(each.name)) for each in desired.environments}
    locks = {each.name: read_lock(lock_path(desired.locks, each.name), each.name) for each in desired.environments}
    states = {each.name: lock_state(locks[each.name], each, desired) for each in desired.environments}
    behind = [each for each in desired.environments if states[each.name] is not LockState.FRESH]
    if options.locked:
        demand_fresh(desired, states)
    resolved: Mapping[str, Lock | str | EnvsyncError] = {}
    if options.resolve is not None and engine is not None:
        resolved = resolve_all(behind, desired, chosen, engine, options.resolve, locks)
    targets = {}
    for each in desired.environments:
        target = Target(environment=each, interpreter=chosen[each.name], lock_state=states[each.name])
        fresh = states[each.name] is LockState.FRESH
        lock = locks[each.name] if fresh else resolved.get(each.name)
        match lock:
            case _ if not chosen[each.name].version:
                hint = f"no interpreter that satisfies python {each.python!r} is known of the host"
                targets[each.name] = replace(target, hint=hint)
            case Lock():
                try:
                    packages = select_packages(lock, each, chosen[each.name])
                except LockError as error:
                    if fresh:
                        raise
                    targets[each.name] = replace(target, failure=Failure.of(error))
                else:
                    targets[each.name] = replace(target, lock=lock, packages=packages)
            case EnvsyncError() as failed:
                targets[each.name] = replace(target, failure=Failure.of(failed))
            case str() as hint:
                targets[each.name] = replace(target, hint=hint)
            case None:
                targets[each.name] = replace(target, hint=f"run `envsync lock {each.name}`")
    return targets


def demand_fresh(desired: DesiredState, states: Mapping[str, LockState]) -> None:
    """Raise LockError where the lock of a selected environment is missing or stale."""
    behind = [each.name for each in desired.environments if states[each.name] is not LockState.FRESH]
    if behind:
        name, state = lock_path(desired.locks, behind[0]).name, states[behind[0]].value
        raise LockError(
            f"{name} is {state}, and --locked forbids to make it anew",
            hint=f"run `envsync lock {' '.join(behind)}` and commit what it writes",
        )


def lock_state(lock: Lock | None, environment: DesiredEnvironment, desired: DesiredState) -> LockState:
    """Say how a lock stands to what it was made from; one that somebody else's tool wrote is stale."""
    if lock is None:
        return LockState.MISSING
    return LockState.FRESH if lock.inputs == inputs_digest(environment, desired.indexes) else LockState.STALE


def _interpreter(environment: DesiredEnvironment, interpreters: Chooser, applied: Applied | None) -> Interpreter:
    """Choose an interpreter; a generation keeps its own while that satisfies the request."""
    return interpreters.choose(environment.python, keep=applied.interpreter.path if applied else "")


def to_destroy(desired: DesiredState, names: frozenset[str], applied: Mapping[str, Applied]) -> DesiredState:
    """Return the desired state with nothing in it but what is to be destroyed; raises UsageError for the unknown."""
    unknown = sorted(names - applied.keys())
    if unknown:
        owned = sorted(name for name, each in applied.items() if each.project == desired.project)
        raise UsageError(
            f"nothing to destroy: {', '.join(unknown)} was never applied here",
            hint=f"applied are: {', '.join(owned) or 'none'}",
        )
    kept = tuple(each for each in desired.environments if each.name in names)
    return replace(desired, environments=kept, selected=True)
