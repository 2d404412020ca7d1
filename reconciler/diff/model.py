"""The difference between desired, last applied and actual, before any policy (design, section 7)."""

from dataclasses import dataclass
from enum import StrEnum

from reconciler.canonical_json import Json, digest
from reconciler.events import Failure
from reconciler.interpreters.model import Interpreter
from reconciler.lock.model import Lock, LockedPackage
from reconciler.manifest.desired import DesiredEnvironment
from reconciler.observe.actual import Finding


class Origin(StrEnum):
    """Who moved: the manifest or lock (pending), somebody's hand (drift), or both at once."""

    PENDING = "pending"
    DRIFT = "drift"
    BOTH = "both"


class PackageAction(StrEnum):
    """What happens to one package."""

    INSTALL = "install"
    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    CHANGE = "change"  # the same version from another source
    REMOVE = "remove"
    REPAIR = "repair"  # what is installed is right by name and version, but not by its files
    UNKNOWN = "unknown"  # only a build, or a lock, would tell


class ReasonCode(StrEnum):
    """Why an environment or a package changes, or may not; stable, for JSON."""

    # pending, environment
    NEW = "new"  # in the manifest, never applied
    INTERPRETER_CHANGED = "interpreter-changed"  # the request moved, or its interpreter is another one now
    SYSTEM_SITE_PACKAGES_CHANGED = "system-site-packages-changed"
    LOCK_CHANGED = "lock-changed"  # the selected lock entries are others
    LOCK_MISSING = "lock-missing"
    LOCK_STALE = "lock-stale"  # its inputs moved
    SOURCE_CHANGED = "source-changed"  # a local project's files or metadata
    SETTINGS_CHANGED = "settings-changed"
    HOOKS_PENDING = "hooks-pending"  # hooks after the last publish did not get to their end
    ROLLED_BACK = "rolled-back"  # a rollback published an older generation than the manifest asks for
    NOT_IN_MANIFEST = "not-in-manifest"
    DESTROY_REQUESTED = "destroy-requested"
    ADOPT_REQUESTED = "adopt-requested"
    # drift, environment
    GONE = "gone"  # was applied, is not there
    PACKAGES_DRIFTED = "packages-drifted"
    FILES_DRIFTED = "files-drifted"
    ENVIRONMENT_DAMAGED = "environment-damaged"  # pyvenv.cfg, interpreter, metadata
    ALREADY_AS_DESIRED = "already-as-desired"  # somebody's hand did what the manifest now asks for
    # packages
    NEW_IN_LOCK = "new-in-lock"
    NOT_IN_LOCK = "not-in-lock"
    INSTALLED_BY_HAND = "installed-by-hand"
    REMOVED_BY_HAND = "removed-by-hand"
    CHANGED_BY_HAND = "changed-by-hand"
    FILES_EDITED = "files-edited"
    METADATA_DAMAGED = "metadata-damaged"
    # blocked
    PREVENT_DESTROY = "prevent-destroy"
    NOT_OURS = "not-ours"  # something at the path that envsync did not make
    OTHER_PROJECT = "other-project"  # another project of this root owns the name
    IGNORED_WOULD_BE_LOST = "ignored-would-be-lost"
    LOCK_FAILED = "lock-failed"  # no lock could be made: nothing fits, or an index failed
    EMPTY_MANIFEST = "empty-manifest"  # deleting everything needs --allow-empty
    DEPENDENCY_BLOCKED = "dependency-blocked"
    DEPENDENCY_FAILED = "dependency-failed"  # what it depends on could not be locked, or not be applied


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Reason:
    """A stable code, whose hand it was, and a sentence without trailing full stop."""

    code: ReasonCode
    origin: Origin
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageChange:
    """One package's change; `before` and `after` are versions (None: absent, or unknown until built).

    `name` is normalized; `reason` is the code and `message` its sentence; `files` are the paths behind a repair.
    """

    name: str
    action: PackageAction
    origin: Origin
    reason: ReasonCode
    message: str
    before: str | None = None
    after: str | None = None
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChange:
    """One setting's change at `path` (`("env", "DEBUG")`); None stands for absent."""

    path: tuple[str | int, ...]
    before: Json
    after: Json


class Presence(StrEnum):
    """Which of the three sides know an environment, as far as the action depends on it."""

    UNCHANGED = "unchanged"
    CREATE = "create"
    UPDATE = "update"  # new generation, same interpreter
    REPLACE = "replace"  # new generation, other interpreter or system site packages
    RECORD = "record"  # settings alone: no new generation
    DELETE = "delete"
    FOREIGN = "foreign"  # something at the path that is not ours


class LockState(StrEnum):
    """How an environment's lock stands to its inputs."""

    FRESH = "fresh"
    MISSING = "missing"
    STALE = "stale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What one environment is to become: everything that a build needs to know, so that apply decides nothing.

    `packages` are those that the lock selects for `interpreter`, sorted by name; None where only a lock or a build
    would tell. `lock_state` is how the committed lock stood; where it was not fresh, `lock` is the one resolved in
    memory (None if it could not be without building, or not at all: `failure` says why).
    """

    environment: DesiredEnvironment
    interpreter: Interpreter
    lock_state: LockState = LockState.FRESH
    lock: Lock | None = None
    packages: tuple[LockedPackage, ...] | None = None
    hint: str = ""
    failure: Failure | None = None

    @property
    def digest(self) -> str:
        """Return the digest of what is asked for: packages, interpreter version, settings; no machine's paths."""
        wanted = self.environment
        return digest(
            {
                "packages": self.packages,
                "python": self.interpreter.version,
                "implementation": self.interpreter.implementation,
                "system_site_packages": wanted.system_site_packages,
                "env": dict(wanted.env),
                "probes": wanted.probes,
                "hooks": wanted.hooks,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentDiff:
    """How one environment's three sides differ. `complete` is False where packages are unknown until locked."""

    name: str
    presence: Presence
    reasons: tuple[Reason, ...] = ()
    packages: tuple[PackageChange, ...] = ()
    settings: tuple[SettingChange, ...] = ()
    findings: tuple[Finding, ...] = ()
    ignored: tuple[str, ...] = ()  # packages that are somebody else's and that a rebuild would lose
    complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """Every environment's difference, sorted by name, the unchanged ones included."""

    environments: tuple[EnvironmentDiff, ...]
