"""Resolves many environments in parallel: each distinct input once; one failure does not stop the others."""

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace

from reconciler.engines.engine import Engine
from reconciler.errors import BuildNeededError, DeadlineError, EnvsyncError, IndexSlowError, NotTriedError
from reconciler.interpreters.model import Interpreter
from reconciler.lock.freshness import present_inputs
from reconciler.lock.lock_file import lock_path
from reconciler.lock.model import Lock
from reconciler.lock.resolve import ResolveOptions, resolve_lock
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from reconciler.processes.child import SIGNAL_SECONDS, allow_children, stop_children

_AT_ONCE = 4


def resolve_all(
    environments: list[DesiredEnvironment],
    desired: DesiredState,
    chosen: Mapping[str, Interpreter],
    engine: Engine,
    options: ResolveOptions,
    previous: Mapping[str, Lock | None],
) -> dict[str, Lock | str | EnvsyncError]:
    """Resolve each distinct input once; return a lock, a hint (a build is needed) or an error for each environment."""
    patience = _Patience(_AT_ONCE)

    def resolve(environment: DesiredEnvironment) -> Lock | str | EnvsyncError:
        name = environment.name
        if patience.lost:
            return NotTriedError(
                "not tried, because the indexes did not answer for any environment before it",
                hint="try again when the indexes answer",
            )
        found: Lock | str | EnvsyncError
        try:
            found = resolve_lock(environment, desired, chosen[name], engine, options, previous=previous[name])
        except BuildNeededError as error:
            advice = f"run `envsync lock {name}`"
            if environment.builds == "deny":
                advice = "allow it in `builds`, or require a version with a wheel"
            hint = f"a source distribution must be built to know its dependencies: {advice}"
            found = error if options.build else hint
        except EnvsyncError as error:
            found = error
        patience.count(slow=isinstance(found, IndexSlowError | DeadlineError))
        return found

    leaders: dict[tuple[object, ...], DesiredEnvironment] = {}
    follows: dict[str, str] = {}
    for each in environments:
        before = previous[each.name]
        local = each.name if each.project or each.lock or any(line.path for line in each.requirements) else ""
        key = (
            present_inputs(each, desired),
            each.builds,
            before.digest if before else "",
            chosen[each.name].series if each.python.startswith("/") else "",
            local,  # a lock names directories relative to itself: keep these environments apart
        )
        follows[each.name] = leaders.setdefault(key, each).name
    with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="resolve") as pool:
        try:
            found = _results({each.name: pool.submit(resolve, each) for each in leaders.values()})
        except KeyboardInterrupt:  # do not wait for an index that hangs
            stop_children()
            pool.shutdown(cancel_futures=True)
            allow_children()
            raise
    return {each.name: _named(found[follows[each.name]], each, desired) for each in environments}


def _results(
    futures: Mapping[str, Future[Lock | str | EnvsyncError]],
) -> dict[str, Lock | str | EnvsyncError]:
    """Wait for all results, while signals are still handled."""
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
    """Decides when to stop asking indexes: after `limit` resolutions in a row that timed out.

    An index that hangs for a single package does not stop other environments. An index that never answers is not
    waited for again and again.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._slow = 0
        self._guard = threading.Lock()

    @property
    def lost(self) -> bool:
        return self._slow >= self._limit

    def count(self, *, slow: bool) -> None:
        """Count a finished resolution; `slow` means that it timed out."""
        with self._guard:
            self._slow = self._slow + 1 if slow else 0
