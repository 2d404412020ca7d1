"""DesiredState and locks to Target: which interpreter, which lock, which packages each environment is to have."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from reconciler.diff.model import LockState, Target
from reconciler.engines.child import allow_children, stop_children
from reconciler.engines.choose import Interpreters
from reconciler.engines.engine import Engine
from reconciler.engines.interpreter import Interpreter
from reconciler.engines.uv_failures import BuildNeededError
from reconciler.errors import EnvsyncError, LockError, ResolveError
from reconciler.lock.document import lock_path, read_lock
from reconciler.lock.inputs import inputs_digest
from reconciler.lock.model import Lock
from reconciler.lock.resolve import ResolveOptions, resolve_lock
from reconciler.lock.select import select_packages
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from reconciler.state.applied import Applied

_RESOLUTIONS_AT_ONCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOptions:
    """What to do about a lock that is missing or stale.

    `resolve` None leaves its packages unknown (`check` never resolves); `locked` makes it an error.
    """

    resolve: ResolveOptions | None = None
    locked: bool = False


def aim(
    desired: DesiredState,
    interpreters: Interpreters,
    engine: Engine,
    applied: Mapping[str, Applied],
    options: LockOptions,
) -> dict[str, Target]:
    """Return the target of every selected environment, by name.

    Raises InterpreterError, LockError or, while resolving, ResolveError and EngineError; the first by name.
    """
    chosen = {each.name: _interpreter(each, interpreters, applied.get(each.name)) for each in desired.environments}
    locks = {each.name: read_lock(lock_path(desired.locks, each.name), each.name) for each in desired.environments}
    states = {each.name: lock_state(locks[each.name], each, desired) for each in desired.environments}
    behind = [each for each in desired.environments if states[each.name] is not LockState.FRESH]
    if options.locked and behind:
        first = behind[0].name
        raise LockError(
            f"{lock_path(desired.locks, first).name} is {states[first].value}, and --locked forbids to make it anew",
            hint=f"run `envsync lock {' '.join(each.name for each in behind)}` and commit what it writes",
        )
    resolved: dict[str, Lock | str] = {}
    if options.resolve is not None:
        resolved = resolve_all(behind, desired, chosen, engine, options.resolve, locks)
    targets = {}
    for each in desired.environments:
        target = Target(environment=each, interpreter=chosen[each.name], lock_state=states[each.name])
        lock = locks[each.name] if states[each.name] is LockState.FRESH else resolved.get(each.name)
        match lock:
            case Lock():
                packages = select_packages(lock, each, chosen[each.name])
                targets[each.name] = replace(target, lock=lock, packages=packages)
            case str() as hint:
                targets[each.name] = replace(target, hint=hint)
            case None:
                targets[each.name] = replace(target, hint=f"run `envsync lock {each.name}`")
    return targets


def lock_state(lock: Lock | None, environment: DesiredEnvironment, desired: DesiredState) -> LockState:
    """Say how a lock stands to what it was made from; one that somebody else's tool wrote is stale."""
    if lock is None:
        return LockState.MISSING
    return LockState.FRESH if lock.inputs == inputs_digest(environment, desired.indexes) else LockState.STALE


def resolve_all(
    environments: list[DesiredEnvironment],
    desired: DesiredState,
    chosen: Mapping[str, Interpreter],
    engine: Engine,
    options: ResolveOptions,
    previous: Mapping[str, Lock | None],
) -> dict[str, Lock | str]:
    """Resolve each distinct input once; return a lock by name, or a hint where only a build would tell.

    Raises what the first failing resolution, by order of `environments`, raised.
    """

    failed = threading.Event()

    def resolve(environment: DesiredEnvironment) -> Lock | str:
        name = environment.name
        if failed.is_set():  # an index that hangs would be waited for again; an earlier one's error is what is raised
            raise ResolveError(f"{name}: not resolved, because another could not be")
        try:
            return resolve_lock(environment, desired, chosen[name], engine, options, previous=previous[name])
        except BuildNeededError:
            if options.build:
                failed.set()
                raise
            return f"a source distribution must be built to know its dependencies: run `envsync lock {name}`"
        except EnvsyncError:
            failed.set()
            raise

    leaders: dict[tuple[object, ...], DesiredEnvironment] = {}
    follows: dict[str, str] = {}
    for each in environments:
        before = previous[each.name]
        local = each.name if each.project or any(line.path for line in each.requirements) else ""
        key = (
            inputs_digest(each, desired.indexes),
            each.builds,
            before.digest if before else "",
            chosen[each.name].series if each.python.startswith("/") else "",
            local,  # a lock names directories relative to itself, and hashes by environment: keep those apart
        )
        follows[each.name] = leaders.setdefault(key, each).name
    with ThreadPoolExecutor(max_workers=_RESOLUTIONS_AT_ONCE, thread_name_prefix="resolve") as pool:
        futures = {each.name: pool.submit(resolve, each) for each in leaders.values()}
        try:
            found = {name: future.result() for name, future in futures.items()}
        except KeyboardInterrupt:  # an index that hangs would be waited for
            stop_children()
            pool.shutdown(cancel_futures=True)
            allow_children()
            raise
    return {each.name: _named(found[follows[each.name]], each, desired) for each in environments}


def _named(lock: Lock | str, environment: DesiredEnvironment, desired: DesiredState) -> Lock | str:
    """Give a shared resolution the name and place of one of its environments."""
    if isinstance(lock, str):
        return lock
    return replace(lock, environment=environment.name, path=lock_path(desired.locks, environment.name))


def _interpreter(environment: DesiredEnvironment, interpreters: Interpreters, applied: Applied | None) -> Interpreter:
    """Choose an interpreter; a generation keeps its own while that satisfies the request."""
    return interpreters.choose(environment.python, keep=applied.interpreter.path if applied else "")
