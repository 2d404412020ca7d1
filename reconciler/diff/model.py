"""The difference between desired, last applied and actual state, before any policy (docs/design.md, "Plan")."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.canonical_json import Json
from reconciler.diff.source_change import SourceChange
from reconciler.events import Failure
from reconciler.interpreters.model import Interpreter
from reconciler.lock.model import Lock, LockedPackage, LockState
from reconciler.manifest.desired import DesiredEnvironment
from reconciler.observe.actual import Finding


class Origin(StrEnum):
    """Which side changed since the last apply: the manifest or lock (pending), the actual state (drift), or both."""

    PENDING = "pending"
    DRIFT = "drift"
    BOTH = "both"


class PackageAction(StrEnum):
    """What happens to one package."""

    INSTALL = "install"
    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    CHANGE = "change"  # the same version from a different source
    REMOVE = "remove"
    REPAIR = "repair"  # name and version are right, but its files differ
    UNKNOWN = "unknown"  # the version is only known after a build or a lock


class ReasonCode(StrEnum):
    """Why an environment or a package changes, or must not change; stable, for JSON."""

    # The meaning of each code is in `reconciler.render.rules`. A comment here only adds what it does not say.
    # pending changes of an environment
    NEW = "new"
    INTERPRETER_CHANGED = "interpreter-changed"  # the request changed, or a different interpreter now satisfies it
    SYSTEM_SITE_PACKAGES_CHANGED = "system-site-packages-changed"
    LOCK_CHANGED = "lock-changed"
    LOCK_MISSING = "lock-missing"
    LOCK_STALE = "lock-stale"
    SOURCE_CHANGED = "source-changed"  # its files or its metadata
    SOURCE_MOVED = "source-moved"  # an editable project: the manifest now means a different directory
    SETTINGS_CHANGED = "settings-changed"
    HOOKS_PENDING = "hooks-pending"
    HOOKS_SKIPPED = "hooks-skipped"
    ON_TRIAL = "on-trial"  # the trial of the published generation is not over
    ROLLED_BACK = "rolled-back"
    TRIAL_FAILED = "trial-failed"  # rolled back, because a hook or the health check failed
    NOT_IN_MANIFEST = "not-in-manifest"
    DESTROY_REQUESTED = "destroy-requested"
    ADOPT_REQUESTED = "adopt-requested"
    STAGED = "staged"  # `publish` publishes it
    RENAMED = "renamed"
    FORMER_NAME_TAKEN = "former-name-taken"  # its scripts name a path that a different environment gets
    TAKEN_OVER = "taken-over"  # from another manifest, or from the former `project` of this one
    # drift of an environment
    GONE = "gone"
    PACKAGES_DRIFTED = "packages-drifted"
    FILES_DRIFTED = "files-drifted"
    ENVIRONMENT_DAMAGED = "environment-damaged"  # pyvenv.cfg, interpreter, metadata
    ALREADY_AS_DESIRED = "already-as-desired"
    CHANGED_BY_HOOK = "changed-by-hook"  # blocked if nothing else differs: a rebuild would run the hook again
    # changes of a package
    NEW_IN_LOCK = "new-in-lock"
    NOT_IN_LOCK = "not-in-lock"
    INSTALLED_BY_HAND = "installed-by-hand"
    REMOVED_BY_HAND = "removed-by-hand"
    CHANGED_BY_HAND = "changed-by-hand"
    FILES_EDITED = "files-edited"
    METADATA_DAMAGED = "metadata-damaged"
    # blocked
    PREVENT_DESTROY = "prevent-destroy"
    NOT_OURS = "not-ours"
    OTHER_PROJECT = "other-project"
    OTHER_MANIFEST = "other-manifest"  # of the same project, in the same root
    NAME_IN_USE = "name-in-use"  # of a rename, or of a new environment: by generations of a different one
    IGNORED_WOULD_BE_LOST = "ignored-would-be-lost"
    LOCK_FAILED = "lock-failed"  # no versions satisfy all requirements, or an index failed
    NO_INTERPRETER = "no-interpreter"
    UNSET_VARIABLE = "unset-variable"
    LOCK_UNREADABLE = "lock-unreadable"  # or it selects nothing for the interpreter
    LOCK_REFUSED = "lock-refused"  # the manifest does not allow what the lock contains
    STATE_UNREADABLE = "state-unreadable"  # the record or the seal
    NEWER_FORMAT = "newer-format"  # of the record, the seal or the lock
    UNDECLARED_DRIFTED = "undeclared-drifted"  # kept by `--no-prune`
    EMPTY_MANIFEST = "empty-manifest"  # deleting everything needs `--allow-empty`
    DEPENDENCY_BLOCKED = "dependency-blocked"
    HAS_DEPENDENTS = "has-dependents"  # of a deletion
    STAGE_OUTDATED = "stage-outdated"  # what a staged generation would replace changed since it was staged
    HELD = "held"  # of a deletion
    DELETES_WAIT = "deletes-wait"  # a deletion waits until every change can be applied, and was
    DEPENDENCY_FAILED = "dependency-failed"  # the dependency could not be locked or applied


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Reason:
    """A stable code, whether it is drift or a pending change, and a sentence without trailing full stop."""

    code: ReasonCode
    origin: Origin
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageChange:
    """One package's change; `before` and `after` are versions (None: absent, or unknown until built).

    `name` is normalized; `reason` is the code and `message` its sentence; `drift_reason` is the code of what was
    changed manually, None if `origin` is `pending` or in a saved plan of format 1.0; `files` are the paths that need a
    repair, relative to the environment. `source` is how the source in the lock changed, None if it did not.
    """

    name: str
    action: PackageAction
    origin: Origin
    reason: ReasonCode
    message: str
    drift_reason: ReasonCode | None = None
    before: str | None = None
    after: str | None = None
    files: tuple[str, ...] = ()
    source: SourceChange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChange:
    """One setting's change at `path` (`("env", "DEBUG")`); None means absent."""

    path: tuple[str | int, ...]
    before: Json
    after: Json


FAULTS = frozenset(
    {
        ReasonCode.NO_INTERPRETER,
        ReasonCode.UNSET_VARIABLE,
        ReasonCode.LOCK_UNREADABLE,
        ReasonCode.LOCK_REFUSED,
        ReasonCode.STATE_UNREADABLE,
        ReasonCode.NEWER_FORMAT,
        ReasonCode.NAME_IN_USE,
    }
)
"""Codes of what blocks an environment because something that belongs to it cannot be read or found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why an environment cannot be planned: its code, a sentence, and what to do about it.

    Only its drift is reported then, because what is pending is not known.
    """

    code: ReasonCode
    message: str
    hint: str


class DiffKind(StrEnum):
    """How an environment differs as a whole; the plan's action follows from it."""

    UNCHANGED = "unchanged"
    CREATE = "create"
    UPDATE = "update"  # a new generation with the same interpreter
    REPLACE = "replace"  # a new generation with a different interpreter or access to system site packages
    RECORD = "record"  # only settings, hooks or the lock file: no new generation
    DELETE = "delete"
    FOREIGN = "foreign"  # envsync did not create what is at the path


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What one environment will become: everything that a build needs to know, so that apply decides nothing.

    `packages` are those that the lock selects for `interpreter`, sorted by name; None if they are only known after a
    lock or a build. `lock_state` is the state of the committed lock. If it was not fresh, `lock` is the one resolved in
    memory. It is None if resolving needs a build, or if resolving failed (see `failure`). `editables` are the absolute
    directories that the editable packages must be installed from, by name; empty if they cannot be compared, because
    the environment is on a different machine. `faults` are why nothing can be planned; without an interpreter, that of
    the target has no version.
    """

    environment: DesiredEnvironment
    interpreter: Interpreter
    lock_state: LockState
    lock: Lock | None
    packages: tuple[LockedPackage, ...] | None
    editables: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    hint: str
    failure: Failure | None = None
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentDiff:
    """How the three states of one environment differ; `complete` is False if packages are unknown until locked.

    `ignored` are the names of the packages that `ignore` matches and that a new generation would not have. `carried`
    are the paths that `ignore_files` matches and that a new generation gets from the published one; `lost` are those
    that it would not have (`reconciler.diff.ignored_files`). `excepted` has the packages and paths that each pattern of
    `--except` excepts.
    """

    name: str
    kind: DiffKind
    reasons: tuple[Reason, ...]
    packages: tuple[PackageChange, ...]
    settings: tuple[SettingChange, ...]
    findings: tuple[Finding, ...]
    ignored: tuple[str, ...]
    carried: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    excepted: tuple[tuple[str, tuple[str, ...]], ...] = ()
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """Every environment's difference, sorted by name, the unchanged ones included."""

    environments: tuple[EnvironmentDiff, ...]
