"""Updates locks: the state of each, which of them are resolved again, and the outcome."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import InvalidName, canonicalize_name

from reconciler.backticks import in_backticks, list_in_backticks
from reconciler.engines.engine import Engine
from reconciler.errors import EnvsyncError, InterpreterError, LockError, LockWriteError, UsageError
from reconciler.events import Failure
from reconciler.interpreters.choose import Interpreters, choose_for
from reconciler.interpreters.model import Interpreter
from reconciler.lock.freshness import lock_state
from reconciler.lock.lock_file import lock_path, read_lock, write_lock
from reconciler.lock.model import Lock, LockState
from reconciler.lock.resolve import ResolveOptions
from reconciler.lock.resolve_all import resolve_all
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from reconciler.manifest.hints import known_names_hint
from reconciler.state.applied import Applied


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOutcome:
    """The outcome of `lock` for one environment.

    `before` is the state of the lock before, `changed` says whether it was written, `failure` why it was not. `note` is
    why an optional environment was skipped.
    """

    environment: str
    path: Path
    before: LockState
    changed: bool
    lock: Lock | None
    failure: Failure | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedLock:
    """One environment's lock file (`lock` is None if there is none), and whether it is up to date.

    `failure` is why it cannot be read.
    """

    environment: DesiredEnvironment
    path: Path
    lock: Lock | None
    state: LockState
    failure: Failure | None = None

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
            failure=failure or self.failure,
        )

    def update(self, found: Lock | str | EnvsyncError | None) -> LockOutcome:
        """Write the resolved lock if it differs, and return the outcome, which has the failure if that failed."""
        match found:
            case Lock():
                changed = self.lock is None or self.lock.digest != found.digest
                if changed:
                    try:
                        write_lock(found)
                    except LockWriteError as error:
                        return self.outcome(failure=Failure.of(error))
                return self.outcome(found, changed=changed)
            case EnvsyncError():
                return self.outcome(failure=Failure.of(found))
            case _:
                return self.outcome()


def read_locks(desired: DesiredState) -> list[CommittedLock]:
    """Return every selected environment's lock; one that cannot be used has a failure."""
    return [_read_one(each, desired) for each in desired.environments]


def _read_one(environment: DesiredEnvironment, desired: DesiredState) -> CommittedLock:
    path = lock_path(desired.locks, environment.name)
    try:
        lock = read_lock(path, environment.name)
        state = lock_state(lock, environment, desired)
    except LockError as error:
        return CommittedLock(
            environment=environment, path=path, lock=None, state=LockState.UNREADABLE, failure=Failure.of(error)
        )
    return CommittedLock(environment=environment, path=path, lock=lock, state=state)


def packages_to_upgrade(names: Sequence[str], locks: Sequence[CommittedLock]) -> tuple[str, ...]:
    """Return package names, normalized; raises UsageError for one that no lock and no requirement has.

    If a lock is missing, every name is accepted, because its packages are not known yet.
    """
    wanted = tuple(_package_name(each) for each in names)
    known = {name for each in locks for name in _known_packages(each)}
    unknown = sorted(set(wanted) - known)
    if unknown and all(each.lock is not None for each in locks):
        noun = "package" if len(unknown) == 1 else "packages"
        raise UsageError(
            f"no selected environment has the {noun} {list_in_backticks(unknown)}",
            hint=known_names_hint(unknown[0], known, noun="packages") if known else None,
        )
    return wanted


def _package_name(text: str) -> str:
    try:
        return canonicalize_name(text, validate=True)
    except InvalidName as error:
        hint = "write only the name; the manifest says which versions are allowed"
        raise UsageError(f"{in_backticks(text)} is not a package name", hint=hint) from error


def _known_packages(committed: CommittedLock) -> Iterator[str]:
    """Yield the names of the packages that a lock or the environment's requirements contain."""
    if committed.lock is not None:
        yield from (str(each["name"]) for each in committed.lock.document.get("packages", []))
    environment = committed.environment
    texts = [*(each.text for each in environment.requirements if each.path is None), *environment.overrides]
    if environment.project is not None:
        texts += environment.project.requirements
    yield from (canonicalize_name(Requirement(each).name) for each in texts)


def resolve_again(
    outdated: Sequence[CommittedLock],
    desired: DesiredState,
    applied: Mapping[str, Applied],
    interpreters: Interpreters,
    engine: Engine,
    options: ResolveOptions,
) -> Mapping[str, Lock | str | EnvsyncError]:
    """Resolve locks, each for the interpreter that its environment has or would get; an error if it has none."""
    chosen: dict[str, Interpreter] = {}
    failed: dict[str, InterpreterError] = {}
    for each in outdated:
        name = each.environment.name
        keep = applied[name].interpreter.path if name in applied else ""
        try:
            chosen[name] = choose_for(each.environment, interpreters, keep=keep)
        except InterpreterError as error:
            failed[name] = error
    before = {each.environment.name: each.lock for each in outdated}
    environments = [each.environment for each in outdated if each.environment.name in chosen]
    return {**failed, **resolve_all(environments, desired, chosen, engine, options, before)}
