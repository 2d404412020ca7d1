"""The two sides of the comparison: the revision takes the place of the disk, and the working tree is the target.

So the usual three-way comparison is used: actual and last applied state are equal, and every difference is pending.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.backticks import in_backticks
from reconciler.diff.faults import lock_fault
from reconciler.diff.model import Fault, Target
from reconciler.diff.settings import settings_of
from reconciler.errors import LockError, ManifestError, RevisionError
from reconciler.interpreters.model import Interpreter
from reconciler.lock.freshness import require_fresh
from reconciler.lock.lock_file import lock_path, parse_lock
from reconciler.lock.model import Lock, LockedPackage, LockState
from reconciler.lock.renamed_lock import read_present_lock
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from reconciler.manifest.expand import expand
from reconciler.manifest.input_files import LARGEST_LOCK, InputFiles
from reconciler.manifest.load import load_manifest
from reconciler.manifest.text_file import UnreadableFileError
from reconciler.observe.actual import ActualEnvironment, Depth, Distribution, Occupant
from reconciler.revision.files import RevisionFiles
from reconciler.revision.git_revision import Revision
from reconciler.revision.locked_packages import Sources, universal_packages
from reconciler.revision.tracked_files import revision_tracked, worktree_tracked
from reconciler.state.applied import Applied, AppliedInterpreter

_GENERATION = 1  # of the revision's environments: any number but 0, which means that none was ever published


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionSide:
    """What a revision declares; `unlocked` are the environments that have no lock there."""

    desired: DesiredState
    applied: Mapping[str, Applied]
    actual: Mapping[str, ActualEnvironment]
    unlocked: frozenset[str]


def revision_side(revision: Revision, file: Path, shell: Mapping[str, str]) -> RevisionSide | None:
    """Return what a revision declares; None if it has no manifest at the path of `file`.

    `shell` has the digests of the variables that builds get from the shell: they are the same for all revisions.

    Its locks are used even if they are out of date. Raises RevisionError if they or the manifest are invalid.
    """
    files = RevisionFiles(revision, file.parent)
    hint = f"compare with a revision that has a valid `{file.name}`"
    try:
        files.content(file)
    except UnreadableFileError as error:
        if error.missing:
            return None
        raise RevisionError(f"`{file}` at {in_backticks(revision.name)}: {error.message}", hint=hint) from error
    try:
        desired = expand(load_manifest(file, files=files), files=files)
        environments = tuple(_with_shell(each, shell) for each in desired.environments)
        desired = replace(desired, environments=environments)
        locks = {
            each.name: _lock(files, lock_path(desired.locks, each.name), each.name) for each in desired.environments
        }
    except (ManifestError, LockError) as error:
        raise RevisionError(f"at {in_backticks(revision.name)}, {error.message}", hint=hint) from error
    sources = Sources(files=files, tracked=revision_tracked(files))
    packages = {each.name: _packages(locks[each.name], each, sources) or () for each in desired.environments}
    return RevisionSide(
        desired=desired,
        applied={each.name: _applied(each, packages[each.name], desired.project) for each in desired.environments},
        actual={each.name: _actual(each.name, packages[each.name]) for each in desired.environments},
        unlocked=frozenset(name for name, lock in locks.items() if lock is None),
    )


def _with_shell(environment: DesiredEnvironment, shell: Mapping[str, str]) -> DesiredEnvironment:
    hashes = {name: shell.get(name, known) for name, known in environment.build_env.hashes.items()}
    return replace(environment, build_env=replace(environment.build_env, hashes=hashes))


def worktree_side(revision: Revision, desired: DesiredState, *, locked: bool) -> dict[str, Target]:
    """Return the target of every environment of the working tree.

    Its packages are unknown unless its lock is up to date. An invalid lock is a fault of its environment. Raises
    LockError, with `locked`, for locks that are missing or out of date.
    """
    locks: dict[str, Lock | None] = {}
    states: dict[str, LockState] = {}
    faults: dict[str, Fault] = {}
    for each in desired.environments:
        path = lock_path(desired.locks, each.name)
        try:
            locks[each.name], states[each.name] = read_present_lock(each, desired)
        except LockError as error:
            states[each.name], faults[each.name] = LockState.UNREADABLE, lock_fault(error, path)
    if locked:
        require_fresh(desired, states)
    sources = Sources(files=InputFiles(), tracked=worktree_tracked(revision))
    targets = {}
    for each in desired.environments:
        fresh = states[each.name] is LockState.FRESH
        targets[each.name] = Target(
            environment=each,
            interpreter=Interpreter(path="", version=each.python, implementation="", markers={}, tags=()),
            lock_state=states[each.name],
            lock=locks[each.name] if fresh else None,
            packages=_packages(locks[each.name], each, sources) if fresh else None,
            hint="" if fresh or each.name in faults else f"run `envsync lock {each.name}` and commit the lock",
            faults=(faults[each.name],) if each.name in faults else (),
        )
    return targets


def absent_environment(name: str) -> ActualEnvironment:
    """Return the actual state of an environment that does not exist."""
    return ActualEnvironment(name=name, path="", occupant=Occupant.ABSENT, depth=Depth.METADATA)


def _lock(files: RevisionFiles, path: Path, environment: str) -> Lock | None:
    try:
        content = files.blob(path)
        if len(content) > LARGEST_LOCK:
            raise LockError(f"{path}: larger than {LARGEST_LOCK // 1024 // 1024} MiB", hint=None)
        return parse_lock(content.decode("utf-8"), path, environment)
    except UnreadableFileError as error:
        if error.missing:
            return None
        raise LockError(f"{path}: {error.message}", hint=error.hint or None) from error
    except UnicodeDecodeError as error:
        raise LockError(f"{path}: not valid UTF-8", hint=None) from error


def _packages(lock: Lock | None, environment: DesiredEnvironment, sources: Sources) -> tuple[LockedPackage, ...] | None:
    return None if lock is None else universal_packages(lock, environment, sources)


def _applied(environment: DesiredEnvironment, packages: tuple[LockedPackage, ...], project: str) -> Applied:
    return Applied(
        name=environment.name,
        project=project,
        generation=_GENERATION,
        interpreter=AppliedInterpreter(path="", version=environment.python, implementation=""),
        packages=packages,
        installed={each.key: each.identity for each in _distributions(packages)},
        accepted=frozenset(),
        settings=settings_of(environment),
        prevent_destroy=environment.prevent_destroy,
        seal="",
    )


def _actual(name: str, packages: tuple[LockedPackage, ...]) -> ActualEnvironment:
    return ActualEnvironment(
        name=name,
        path="",
        occupant=Occupant.PUBLISHED,
        depth=Depth.METADATA,
        generation=_GENERATION,
        distributions=_distributions(packages),
    )


def _distributions(packages: tuple[LockedPackage, ...]) -> tuple[Distribution, ...]:
    return tuple(Distribution(key=each.name, name=each.name, version=each.version or "") for each in packages)
