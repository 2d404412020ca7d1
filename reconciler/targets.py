"""From desired state and locks to targets: the interpreter, the lock and the packages that each environment gets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.backticks import list_in_backticks
from reconciler.diff.faults import interpreter_fault, lock_fault, missing_in_snapshot
from reconciler.diff.model import Fault, Target
from reconciler.engines.engine import Engine
from reconciler.errors import EnvsyncError, InterpreterError, LockError, UsageError
from reconciler.events import Failure
from reconciler.interpreters.choose import Chooser, choose_for
from reconciler.interpreters.model import UNKNOWN, Interpreter
from reconciler.lock.freshness import require_fresh
from reconciler.lock.lock_file import lock_path
from reconciler.lock.model import Lock, LockState
from reconciler.lock.renamed_lock import read_present_lock
from reconciler.lock.resolve import ResolveOptions
from reconciler.lock.resolve_all import resolve_all
from reconciler.lock.select import editable_directories, local_places, select_packages
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from reconciler.manifest.hints import known_names_hint
from reconciler.state.applied import Applied
from reconciler.state.applied_names import applied_names_hint, never_applied
from reconciler.state.generated_files import read_generated_files
from reconciler.state.layout import Layout
from reconciler.state.staged import Staged, staged_generation
from reconciler.state.store import State


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOptions:
    """What to do if a lock is missing or out of date.

    `resolve` are the options to resolve with; with None the packages stay unknown. `locked` makes it an error.
    """

    resolve: ResolveOptions | None
    locked: bool


def resolve_targets(
    desired: DesiredState,
    interpreters: Chooser,
    engine: Engine | None,
    applied: Mapping[str, Applied],
    options: LockOptions,
    faults: Mapping[str, Fault],
) -> dict[str, Target]:
    """Return the target of every selected environment, by name. Without an engine nothing is resolved.

    `faults` are those of the environments' states. If an environment could not be locked, its target has the failure.
    If its interpreter, its lock or its state is faulty, its target has the faults, and nothing is resolved for it. The
    others are not affected. An optional environment that has no interpreter and was never applied has no target. Raises
    LockError only with `options.locked`, for locks that are missing or out of date.
    """
    prepared = {}
    for each in desired.environments:
        name = each.name
        found = _prepare(each, desired, interpreters, applied.get(name), faults.get(name))
        absent = not found.interpreter.version and name not in applied and name not in faults
        if not (each.optional and absent):
            prepared[name] = found
    if options.locked:
        require_fresh(desired, {name: each.state for name, each in prepared.items()})
    outdated = [
        each
        for each in desired.environments
        if each.name in prepared and prepared[each.name].state is not LockState.FRESH and not prepared[each.name].faults
    ]
    resolved: Mapping[str, Lock | str | EnvsyncError] = {}
    if options.resolve is not None and engine is not None:
        chosen = {each.name: prepared[each.name].interpreter for each in outdated}
        locks = {each.name: prepared[each.name].lock for each in outdated}
        resolved = resolve_all(outdated, desired, chosen, engine, options.resolve, locks)
    return {
        each.name: _target(each, desired, prepared[each.name], resolved.get(each.name))
        for each in desired.environments
        if each.name in prepared
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """What is known of one environment before anything is resolved."""

    interpreter: Interpreter
    lock: Lock | None
    state: LockState
    faults: tuple[Fault, ...]


def _prepare(
    environment: DesiredEnvironment,
    desired: DesiredState,
    interpreters: Chooser,
    applied: Applied | None,
    fault: Fault | None,
) -> _Prepared:
    """Choose the interpreter of an environment, which it keeps while it satisfies the request, and read its lock.

    `fault` is that of its state, None if that could be read.
    """
    faults = [fault] if fault is not None else []
    interpreter, lock, state = UNKNOWN, None, LockState.UNREADABLE
    try:
        interpreter = choose_for(environment, interpreters, keep=applied.interpreter if applied else None)
    except InterpreterError as error:
        faults.append(interpreter_fault(environment, error))
    else:
        if not interpreter.version:
            faults.append(missing_in_snapshot(environment))
    path = lock_path(desired.locks, environment.name)
    try:
        lock, state = read_present_lock(environment, desired)
    except LockError as error:
        faults.append(lock_fault(error, path))
    return _Prepared(interpreter=interpreter, lock=lock, state=state, faults=tuple(faults))


def _target(
    environment: DesiredEnvironment,
    desired: DesiredState,
    prepared: _Prepared,
    resolved: Lock | str | EnvsyncError | None,
) -> Target:
    """Return the target of an environment, from its committed lock if that is fresh, else from the resolved one."""
    target = Target(
        environment=environment,
        interpreter=prepared.interpreter,
        lock_state=prepared.state,
        lock=None,
        packages=None,
        hint="",
        faults=prepared.faults,
    )
    if prepared.faults:
        return target
    fresh = prepared.state is LockState.FRESH
    match prepared.lock if fresh else resolved:
        case Lock() as lock:
            try:
                generated = read_generated_files(Layout(desired.root))
                packages = select_packages(lock, environment, prepared.interpreter, generated)
            except LockError as error:
                if fresh:
                    return replace(target, faults=(lock_fault(error, lock_path(desired.locks, environment.name)),))
                return replace(target, failure=Failure.of(error))
            editables = editable_directories(lock, prepared.interpreter)
            places = local_places(lock, prepared.interpreter)
            return replace(target, lock=lock, packages=packages, editables=editables, places=places)
        case EnvsyncError() as failed:
            return replace(target, failure=Failure.of(failed))
        case str() as hint:
            return replace(target, hint=hint)
        case None:
            return replace(target, hint=f"run `envsync lock {environment.name}`")


def skipped_note(environment: DesiredEnvironment) -> str:
    """Return the note that an optional environment was left out."""
    version = environment.python
    return f"`{environment.name}` was skipped: no python {version} on this machine (`if_available`)"


def refuse_unknown_exceptions(exceptions: Iterable[tuple[str, str]], desired: DesiredState) -> None:
    """Raise UsageError if an exception of `--except` names an environment that the manifest does not declare."""
    for name, pattern in exceptions:
        if name not in desired.declared:
            raise UsageError(
                f"`--except {name}:{pattern}` names an unknown environment",
                hint=known_names_hint(name, desired.declared, noun="environments"),
            )


def select_staged(state: State, names: Iterable[str]) -> dict[str, Staged]:
    """Return the staged generations of `names`; raises UsageError if one has none, StateError if it is unreadable."""
    found = {name: staged_generation(state, name) for name in sorted(names)}
    missing = [name for name, each in found.items() if each is None]
    if missing:
        raise UsageError(
            f"nothing is staged for {list_in_backticks(missing)}",
            hint=f"run `envsync apply --stage {' '.join(missing)}` first",
        )
    return {name: each for name, each in found.items() if each is not None}


def select_for_destroy(
    desired: DesiredState,
    names: frozenset[str],
    applied: Mapping[str, Applied],
    faults: Mapping[str, Fault],
) -> DesiredState:
    """Return the desired state with only the environments to destroy; raises UsageError if one was never applied."""
    unknown = sorted(names - applied.keys() - faults.keys())
    if unknown:
        owned = [name for name, each in applied.items() if each.project == desired.project]
        raise UsageError(
            f"nothing to destroy: {never_applied(unknown)}",
            hint=applied_names_hint(unknown, owned),
        )
    kept = tuple(each for each in desired.environments if each.name in names)
    return replace(desired, environments=kept, selected=True)
