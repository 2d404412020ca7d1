"""Updates locks: the state of each, which of them are resolved again, and the outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.engines.engine import Engine
from reconciler.errors import EnvsyncError
from reconciler.events import Failure
from reconciler.interpreters.choose import Interpreters, choose_for
from reconciler.lock.freshness import lock_state
from reconciler.lock.lock_file import lock_path, read_lock, write_lock
from reconciler.lock.model import Lock, LockState
from reconciler.lock.resolve import ResolveOptions
from reconciler.lock.resolve_all import resolve_all
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from reconciler.state.applied import Applied


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOutcome:
    """The outcome of `lock` for one environment.

    `before` is the state of the lock before, `changed` says whether it was written, `failure` why it was not.
    """

    environment: str
    path: Path
    before: LockState
    changed: bool
    lock: Lock | None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedLock:
    """One environment's lock file (`lock` is None if there is none), and whether it is up to date."""

    environment: DesiredEnvironment
    path: Path
    lock: Lock | None
    state: LockState

    def outcome(
        self, lock: Lock | None = None, failure: Failure | None = None, *, changed: bool = False
    ) -> LockOutcome:
        """Return the outcome; without arguments, that nothing changed."""
        return LockOutcome(
            environment=self.environment.name,
            path=self.path,
            before=self.state,
            changed=changed,
            lock=lock or self.lock,
            failure=failure,
        )

    def update(self, found: Lock | str | EnvsyncError | None) -> LockOutcome:
        """Write the resolved lock if it differs, and return the outcome; raises LockError."""
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


def read_locks(desired: DesiredState) -> list[CommittedLock]:
    """Return every selected environment's lock; raises LockError for one that cannot be used."""
    paths = {each.name: lock_path(desired.locks, each.name) for each in desired.environments}
    locks = {each.name: read_lock(paths[each.name], each.name) for each in desired.environments}
    return [
        CommittedLock(
            environment=each,
            path=paths[each.name],
            lock=locks[each.name],
            state=lock_state(locks[each.name], each, desired),
        )
        for each in desired.environments
    ]


def resolve_again(
    outdated: Sequence[CommittedLock],
    desired: DesiredState,
    applied: Mapping[str, Applied],
    interpreters: Interpreters,
    engine: Engine,
    options: ResolveOptions,
) -> Mapping[str, Lock | str | EnvsyncError]:
    """Resolve locks, each for the interpreter that its environment has or would get."""
    chosen = {
        name: choose_for(each.environment, interpreters, keep=applied[name].interpreter.path if name in applied else "")
        for each in outdated
        for name in [each.environment.name]
    }
    before = {each.environment.name: each.lock for each in outdated}
    return resolve_all([each.environment for each in outdated], desired, chosen, engine, options, before)
