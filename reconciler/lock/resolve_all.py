"""Many environments resolved side by side: each distinct input once, and no failure stops another environment."""

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace

from reconciler.engines.engine import Engine
from reconciler.engines.index_failures import IndexSlowError
from reconciler.engines.uv_failures import BuildNeededError, DeadlineError
from reconciler.errors import EnvsyncError, ResolveError
from reconciler.interpreters.model import Interpreter
from reconciler.lock.inputs import inputs_digest
from reconciler.lock.lock_file import lock_path
from reconciler.lock.model import Lock
from reconciler.lock.resolve import ResolveOptions, resolve_lock
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from reconciler.processes.child import SIGNAL_SECONDS, allow_children, stop_children

_AT_ONCE = 4


class NotTriedError(ResolveError):
    """An environment was not resolved, because the indexes answered none of those before it."""

    code = "not-tried"


def resolve_all(
    environments: list[DesiredEnvironment],
    desired: DesiredState,
    chosen: Mapping[str, Interpreter],
    engine: Engine,
    options: ResolveOptions,
    previous: Mapping[str, Lock | None],
) -> dict[str, Lock | str | EnvsyncError]:
    """Resolve each distinct input once; return by name a lock, a hint where only a build would tell, or what failed."""
    patience = _Patience(_AT_ONCE)

    def resolve(environment: DesiredEnvironment) -> Lock | str | EnvsyncError:
        name = environment.name
        if patience.lost:
            return NotTriedError("not tried: all that was asked of the indexes before was waited for in vain")
        found: Lock | str | EnvsyncError
        try:
            found = resolve_lock(environment, desired, chosen[name], engine, options, previous=previous[name])
        except BuildNeededError as error:
            hint = f"a source distribution must be built to know its dependencies: run `envsync lock {name}`"
            found = error if options.build else hint
        except EnvsyncError as error:
            found = error
        patience.waited(in_vain=isinstance(found, IndexSlowError | DeadlineError))
        return found

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
    with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="resolve") as pool:
        try:
            found = _results({each.name: pool.submit(resolve, each) for each in leaders.values()})
        except KeyboardInterrupt:  # an index that hangs would be waited for
            stop_children()
            pool.shutdown(cancel_futures=True)
            allow_children()
            raise
    return {each.name: _named(found[follows[each.name]], each, desired) for each in environments}


def _results(
    futures: Mapping[str, Future[Lock | str | EnvsyncError]],
) -> dict[str, Lock | str | EnvsyncError]:
    """Wait for all, in a way that lets signals through."""
    while wait(futures.values(), timeout=SIGNAL_SECONDS).not_done:
        pass
    return {name: future.result() for name, future in futures.items()}


def _named(
    lock: Lock | str | EnvsyncError, environment: DesiredEnvironment, desired: DesiredState
) -> Lock | str | EnvsyncError:
    """Give a shared resolution the name and place of one of its environments."""
    if not isinstance(lock, Lock):
        return lock
    return replace(lock, environment=environment.name, path=lock_path(desired.locks, environment.name))


class _Patience:
    """How long to go on asking indexes: lost once `limit` resolutions in a row were waited for in vain.

    One that hangs for a single package keeps nobody else from being resolved; one that is silent to all is not waited
    for again and again.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._vain = 0
        self._guard = threading.Lock()

    @property
    def lost(self) -> bool:
        return self._vain >= self._limit

    def waited(self, *, in_vain: bool) -> None:
        """Count one more resolution that ended."""
        with self._guard:
            self._vain = self._vain + 1 if in_vain else 0
