"""Updates locks: the state of each, which of them are resolved again, and the outcome."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import InvalidName, canonicalize_name

from reconciler.backticks import in_backticks, list_in_backticks
from reconciler.engines.engine import Engine
from reconciler.errors import EnvsyncError, InterpreterError, LockError, LockWriteError, RefusedLockError, UsageError
from reconciler.events import Failure
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.interpreters.choose import Interpreters, choose_for
from reconciler.interpreters.model import Interpreter
from reconciler.lock.lock_file import lock_path, read_lock, write_lock
from reconciler.lock.model import Lock, LockState
from reconciler.lock.renamed_lock import read_present_lock, with_present_name
from reconciler.lock.resolve import ResolveOptions
from reconciler.lock.resolve_all import resolve_all
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from reconciler.manifest.hints import known_names_hint
from reconciler.manifest.reach import reach_of_state
from reconciler.state.applied import Applied


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOutcome:
    """The outcome of `lock` for one environment.

    `before` is the state of the lock before, `changed` says whether it was written, `failure` why it was not. `note` is
    why an optional environment was skipped. `former` is the file of a renamed environment's former name, if it existed.
    """

    environment: str
    path: Path
    before: LockState
    changed: bool
    lock: Lock | None
    failure: Failure | None = None
    note: str = ""
    former: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedLock:
    """One environment's lock file (`lock` is None if there is none), and whether it is up to date.

    `failure` is why it cannot be used. If it was read and is `refused`, it is out of date and can be made again.
    """

    environment: DesiredEnvironment
    path: Path
    lock: Lock | None
    state: LockState
    failure: Failure | None
    refused: bool

    def to_be_made_again(self) -> "CommittedLock":
        """Return it without the failure that a new lock removes."""
        return replace(self, failure=None) if self.refused else self

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
            former=self.former,
        )

    @property
    def _is_renamed(self) -> bool:
        """Return whether the lock is up to date, but in the file of the environment's former name."""
        return self.lock is not None and self.state is LockState.FRESH and self.lock.has_former_name

    @property
    def former(self) -> Path | None:
        """Return the file that has the environment's former name; None if there is none."""
        name = self.environment.renamed_from
        path = lock_path(self.path.parent, name) if name else None
        return path if path is not None and path.is_file() else None

    def _write(self, lock: Lock) -> LockOutcome:
        """Write a lock, remove the file that has the environment's former name, and return the outcome."""
        former = self.former
        try:
            write_lock(lock)
            if self.lock is not None and self.lock.has_former_name:
                self.lock.path.unlink(missing_ok=True)
        except LockWriteError as error:
            return self.outcome(failure=Failure.of(error))
        except OSError as error:
            what = f"`{error.filename}` could not be removed: {error.strerror}"
            return self.outcome(failure=Failure.of(LockWriteError(what, hint=os_error_hint(error))))
        return replace(self.outcome(lock, changed=True), former=former)

    def update(self, found: Lock | str | EnvsyncError | None, *, write: bool = True) -> LockOutcome:
        """Write the resolved lock if it differs, and return the outcome, which has the failure if that failed.

        A lock that still has the environment's former name is renamed; not without `write`.
        """
        match found:
            case Lock():
                changed = self.lock is None or self.lock.digest != found.digest or self.lock.has_former_name
                return self._write(found) if changed else self.outcome(found)
            case EnvsyncError():
                return self.outcome(failure=Failure.of(found))
            case None if write and self._is_renamed and self.lock is not None:
                return self._write(with_present_name(self.lock))
            case _:
                return self.outcome()


def read_locks(desired: DesiredState) -> list[CommittedLock]:
    """Return every selected environment's lock; one that cannot be used has a failure."""
    return [_read_one(each, desired) for each in desired.environments]


def _read_one(environment: DesiredEnvironment, desired: DesiredState) -> CommittedLock:
    path = lock_path(desired.locks, environment.name)
    try:
        lock, state = read_present_lock(environment, desired)
    except RefusedLockError as error:
        return CommittedLock(
            environment=environment,
            path=path,
            lock=_pins_of_refused(environment, desired),
            state=LockState.STALE,
            failure=Failure.of(error),
            refused=True,
        )
    except LockError as error:
        return CommittedLock(
            environment=environment,
            path=path,
            lock=None,
            state=LockState.UNREADABLE,
            failure=Failure.of(error),
            refused=False,
        )
    return CommittedLock(environment=environment, path=path, lock=lock, state=state, failure=None, refused=False)


def _pins_of_refused(environment: DesiredEnvironment, desired: DesiredState) -> Lock | None:
    """Return a lock that is refused as if another tool had made it: only its names and versions are kept."""
    reach = reach_of_state(desired)
    for name in (environment.name, environment.renamed_from):
        path = lock_path(desired.locks, name or environment.name)
        lock = read_lock(path, environment.name, reach, names_any_path=True) if name else None
        if lock is not None:
            return replace(lock, inputs=None)
    return None


def refuse_upgrade_of_foreign_locks(locks: Sequence[CommittedLock]) -> None:
    """Raise UsageError if all environments use locks of other tools, so that nothing can be upgraded."""
    sources = [each.environment.lock for each in locks]
    found = [each for each in sources if each is not None]
    if found and len(found) == len(sources):
        names = " ".join(each.environment.name for each in locks)
        files = list_in_backticks(sorted({each.relative for each in found}))
        raise UsageError(
            f"nothing to upgrade: the packages come from {files}",
            hint=f"upgrade that lock with its own tool, then run `envsync lock {names}`",
        )


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
        keep = applied[name].interpreter if name in applied else None
        try:
            chosen[name] = choose_for(each.environment, interpreters, keep=keep)
        except InterpreterError as error:
            failed[name] = error
    before = {each.environment.name: each.lock for each in outdated}
    environments = [each.environment for each in outdated if each.environment.name in chosen]
    return {**failed, **resolve_all(environments, desired, chosen, engine, options, before)}
