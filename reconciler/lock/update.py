"""Locks brought up to date: how each stands, which are resolved again, and what became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.diff.model import LockState
from reconciler.engines.engine import Engine
from reconciler.errors import EnvsyncError
from reconciler.events import Failure
from reconciler.interpreters.choose import Interpreters
from reconciler.lock.lock_file import lock_path, read_lock, write_lock
from reconciler.lock.model import Lock
from reconciler.lock.resolve import ResolveOptions
from reconciler.lock.resolve_all import resolve_all
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from reconciler.state.applied import Applied
from reconciler.targets import lock_state


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOutcome:
    """What `lock` found or did for one environment.

    `before` is how its lock stood, `changed` says that it was written, `failure` why it could not be made.
    """

    environment: str
    path: Path
    before: LockState
    changed: bool
    lock: Lock | None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingLock:
    """One environment's lock as it is committed (None: there is none), and how it stands to its inputs."""

    environment: DesiredEnvironment
    path: Path
    lock: Lock | None
    state: LockState

    def outcome(
        self, lock: Lock | None = None, failure: Failure | None = None, *, changed: bool = False
    ) -> LockOutcome:
        """Return what is to be told of it: left as it is, unless told otherwise."""
        return LockOutcome(
            environment=self.environment.name,
            path=self.path,
            before=self.state,
            changed=changed,
            lock=lock or self.lock,
            failure=failure,
        )

    def renewed(self, found: Lock | str | EnvsyncError | None) -> LockOutcome:
        """Write what was resolved, if it differs; return what became of it. Raises LockError."""
        match found:
            case Lock():
                changed = self.lock is None or self.lock.digest != found.digest
                if changed:
                    write_lock(found)
                return self.outcome(found, changed=changed)
            case EnvsyncError():
                return self.outcome(failure=Failure.of(found))
            case _:
                return self.outcome()


def read_locks(desired: DesiredState) -> list[StandingLock]:
    """Return every selected environment's lock; raises LockError for one that is there and unfit."""
    paths = {each.name: lock_path(desired.locks, each.name) for each in desired.environments}
    locks = {each.name: read_lock(paths[each.name], each.name) for each in desired.environments}
    return [
        StandingLock(
            environment=each,
            path=paths[each.name],
            lock=locks[each.name],
            state=lock_state(locks[each.name], each, desired),
        )
        for each in desired.environments
    ]


def resolve_again(
    moving: Sequence[StandingLock],
    desired: DesiredState,
    applied: Mapping[str, Applied],
    interpreters: Interpreters,
    engine: Engine,
    options: ResolveOptions,
) -> Mapping[str, Lock | str | EnvsyncError]:
    """Resolve the locks that are to move, each for the interpreter that its environment has or would get."""
    chosen = {
        name: interpreters.choose(
            each.environment.python, keep=applied[name].interpreter.path if name in applied else ""
        )
        for each in moving
        for name in [each.environment.name]
    }
    before = {each.environment.name: each.lock for each in moving}
    return resolve_all([each.environment for each in moving], desired, chosen, engine, options, before)
