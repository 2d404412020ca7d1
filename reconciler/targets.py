"""From desired state and locks to targets: the interpreter, the lock and the packages that each environment gets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.diff.model import Target
from reconciler.engines.engine import Engine
from reconciler.errors import EnvsyncError, LockError, UsageError
from reconciler.events import Failure
from reconciler.interpreters.choose import Chooser, choose_for
from reconciler.interpreters.model import Interpreter
from reconciler.lock.freshness import lock_state, require_fresh
from reconciler.lock.lock_file import lock_path, read_lock
from reconciler.lock.model import Lock, LockState
from reconciler.lock.resolve import ResolveOptions
from reconciler.lock.resolve_all import resolve_all
from reconciler.lock.select import editable_directories, select_packages
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from reconciler.state.applied import Applied
from reconciler.state.store import never_applied


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOptions:
    """What to do if a lock is missing or stale.

    `resolve` are the options to resolve with; with None the packages stay unknown. `locked` makes it an error.
    """

    resolve: ResolveOptions | None = None
    locked: bool = False


def resolve_targets(
    desired: DesiredState,
    interpreters: Chooser,
    engine: Engine | None,
    applied: Mapping[str, Applied],
    options: LockOptions,
) -> dict[str, Target]:
    """Return the target of every selected environment, by name. Without an engine nothing is resolved.

    If an environment could not be locked, its target has the failure; the others are not affected. Raises
    InterpreterError, or LockError if a lock is invalid; of several, the first by name.
    """
    chosen = {each.name: _interpreter(each, interpreters, applied.get(each.name)) for each in desired.environments}
    locks = {each.name: read_lock(lock_path(desired.locks, each.name), each.name) for each in desired.environments}
    states = {each.name: lock_state(locks[each.name], each, desired) for each in desired.environments}
    outdated = [each for each in desired.environments if states[each.name] is not LockState.FRESH]
    if options.locked:
        require_fresh(desired, states)
    resolved: Mapping[str, Lock | str | EnvsyncError] = {}
    if options.resolve is not None and engine is not None:
        resolved = resolve_all(outdated, desired, chosen, engine, options.resolve, locks)
    targets = {}
    for each in desired.environments:
        target = Target(environment=each, interpreter=chosen[each.name], lock_state=states[each.name])
        fresh = states[each.name] is LockState.FRESH
        lock = locks[each.name] if fresh else resolved.get(each.name)
        match lock:
            case _ if not chosen[each.name].version:
                problem = f"the snapshot lists no interpreter that satisfies python {each.python!r}"
                hint = f"{problem}: install one on the host, and take a new snapshot"
                targets[each.name] = replace(target, hint=hint)
            case Lock():
                try:
                    packages = select_packages(lock, each, chosen[each.name])
                except LockError as error:
                    if fresh:
                        raise
                    targets[each.name] = replace(target, failure=Failure.of(error))
                else:
                    editables = editable_directories(lock, chosen[each.name])
                    targets[each.name] = replace(target, lock=lock, packages=packages, editables=editables)
            case EnvsyncError() as failed:
                targets[each.name] = replace(target, failure=Failure.of(failed))
            case str() as hint:
                targets[each.name] = replace(target, hint=hint)
            case None:
                targets[each.name] = replace(target, hint=f"run `envsync lock {each.name}`")
    return targets


def _interpreter(environment: DesiredEnvironment, interpreters: Chooser, applied: Applied | None) -> Interpreter:
    """Choose an interpreter; an environment keeps its current one while that satisfies the request."""
    return choose_for(environment, interpreters, keep=applied.interpreter.path if applied else "")


def refuse_unknown_exceptions(exceptions: Iterable[tuple[str, str]], desired: DesiredState) -> None:
    """Raise UsageError if an exception of `--except` names an environment that the manifest does not declare."""
    for name, pattern in exceptions:
        if name not in desired.declared:
            raise UsageError(
                f"`--except {name}:{pattern}` names an unknown environment",
                hint=f"choose from: {', '.join(sorted(desired.declared))}" if desired.declared else None,
            )


def select_for_destroy(desired: DesiredState, names: frozenset[str], applied: Mapping[str, Applied]) -> DesiredState:
    """Return the desired state with only the environments to destroy; raises UsageError if one was never applied."""
    unknown = sorted(names - applied.keys())
    if unknown:
        owned = sorted(name for name, each in applied.items() if each.project == desired.project)
        raise UsageError(
            f"nothing to destroy: {never_applied(unknown)}",
            hint=f"choose from the applied environments: {', '.join(owned)}" if owned else None,
        )
    kept = tuple(each for each in desired.environments if each.name in names)
    return replace(desired, environments=kept, selected=True)
