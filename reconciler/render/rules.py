"""What each code of a report means and what to do about it: the rules that `sarif` declares and `gitlab` names.

This is the only table of these meanings. It has every reason's code (`reconciler.diff.model.ReasonCode`), every
finding's code (`reconciler.observe.actual.FindingCode`) and a code for each way in which an apply can fail.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler.diff.model import Origin, ReasonCode
from reconciler.observe.actual import FindingCode

Code = ReasonCode


class Severity(StrEnum):
    """How much an issue matters, the most severe first."""

    FAILED = "failed"  # an apply or a lock failed
    BLOCKED = "blocked"  # apply refuses the change
    SECURITY = "security"  # drift that runs code at every start
    DRIFT = "drift"
    PENDING = "pending"


SEVERITY_OF_ORIGIN: Mapping[Origin, Severity] = {
    Origin.PENDING: Severity.PENDING,
    Origin.DRIFT: Severity.DRIFT,
    Origin.BOTH: Severity.DRIFT,
}
APPLY_FAILED = "apply-failed"
_REVIEW = "Review the plan, then run `envsync apply`."
_LOCK = "Run `envsync lock`, review the changed lock and commit it."
_REVERT = (
    "Find out who made the change. `envsync apply` reverts it. To keep it, declare it in the manifest and update the "
    "lock."
)
_REVERT_FILE = (
    "Find out who made the change. `envsync apply` reverts it. To allow it, list the file in `ignore_files` in the "
    "manifest."
)
_RUNS_AT_START = (
    "Start no Python of the environment. Find out who made the change and what ran since. `envsync apply` reverts it. "
    "`envsync status --startup` lists all such files."
)
_REMOVE_BYTECODE = "Find out what wrote it: Python can run it instead of the source. `envsync apply` removes it."
_REBUILD = "Find out what changed it. `envsync apply` builds the environment again."
_REINSTALL = "Find out what damaged it. `envsync apply` installs the package again."
_MOVE_AWAY = "Move it to a different path, or choose a different name for the environment."
_HOOK_WRITES = "List what it changes in `ignore_files` or `ignore`, or let the hook write outside the environment."
_RETRY = "Fix what the message reports and run the command again. The published generation is unchanged."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One code's meaning, without trailing full stop, what to do about it, and its usual severity."""

    meaning: str
    remedy: str
    severity: Severity


def _rules(severity: Severity, texts: Mapping[str, tuple[str, str]]) -> dict[str, Rule]:
    """Return rules of one severity; `texts` has the meaning and the remedy of each code."""
    return {
        str(code): Rule(meaning=meaning, remedy=remedy, severity=severity) for code, (meaning, remedy) in texts.items()
    }


RULES: Mapping[str, Rule] = {
    **_rules(
        Severity.PENDING,
        {
            Code.NEW: ("The manifest declares an environment that was never applied", _REVIEW),
            Code.INTERPRETER_CHANGED: ("The environment needs a different Python interpreter", _REVIEW),
            Code.SYSTEM_SITE_PACKAGES_CHANGED: ("The manifest's `system_site_packages` changed", _REVIEW),
            Code.LOCK_CHANGED: ("The lock changed since the last apply", _REVIEW),
            Code.LOCK_MISSING: ("The environment has no lock", _LOCK),
            Code.LOCK_STALE: ("The lock is out of date", _LOCK),
            Code.SOURCE_CHANGED: ("The source of a local project changed", _REVIEW),
            Code.SOURCE_MOVED: (
                "An editable project is installed from a different directory than the manifest means now",
                "Run `envsync apply`, which installs it from the manifest's directory.",
            ),
            Code.SETTINGS_CHANGED: ("The environment's settings changed in the manifest", _REVIEW),
            Code.HOOKS_PENDING: (
                "The hooks of the last apply did not finish",
                "Run `envsync apply`, which runs them again. `envsync apply --skip-hooks` counts them as done.",
            ),
            Code.HOOKS_SKIPPED: (
                "`--skip-hooks` runs no hooks, and counts those that are due as done",
                "Review the plan. To run the hooks, leave out `--skip-hooks`.",
            ),
            Code.ON_TRIAL: (
                "The hooks or the health check of the published generation have not succeeded yet",
                "Run `envsync apply` to finish the trial, or `envsync rollback NAME` to end it.",
            ),
            Code.TRIAL_FAILED: (
                "A new generation was rolled back, because a hook or its health check failed",
                "Fix the problem that the reason describes, or change the manifest, then run `envsync apply`.",
            ),
            Code.ROLLED_BACK: (
                "A rollback published an older generation than the manifest requires",
                "Change the manifest to match the rollback, or run `envsync apply` to undo the rollback.",
            ),
            Code.NOT_IN_MANIFEST: (
                "The manifest no longer declares the environment",
                "Review the plan, then run `envsync apply`, which deletes it. `--no-prune` keeps it.",
            ),
            Code.DESTROY_REQUESTED: (
                "`envsync destroy` will delete the environment",
                "Review the plan, then confirm it.",
            ),
            Code.ADOPT_REQUESTED: (
                "`--adopt` will replace a virtual environment that envsync did not create",
                "Review the plan, then run `envsync apply --adopt`. The old environment is kept.",
            ),
            Code.STAGED: (
                "`envsync publish` will publish a staged generation",
                "Review what it replaces, then confirm it.",
            ),
            Code.RENAMED: ("The environment gets a new name and keeps its generations", _REVIEW),
            Code.FORMER_NAME_TAKEN: (
                "The environment is built again, because a different environment gets its former path",
                _REVIEW,
            ),
            Code.TAKEN_OVER: (
                "The environment will belong to this manifest, or to its changed `project`",
                "Review the plan, then run `envsync apply --take-over`.",
            ),
            Code.NEW_IN_LOCK: ("The lock has a package that was not applied yet", _REVIEW),
            Code.NOT_IN_LOCK: ("The lock no longer has a package that was applied", _REVIEW),
        },
    ),
    **_rules(
        Severity.DRIFT,
        {
            Code.GONE: (
                "The environment was deleted outside envsync",
                "Find out who deleted it. `envsync apply` creates it again.",
            ),
            Code.PACKAGES_DRIFTED: ("Packages were changed manually", _REVERT),
            Code.FILES_DRIFTED: ("Files of the environment were changed manually", _REVERT),
            Code.ENVIRONMENT_DAMAGED: (
                "The environment is damaged",
                "Find out what damaged it. `envsync apply` repairs it.",
            ),
            Code.ALREADY_AS_DESIRED: (
                "Packages were changed manually to what the lock now requires",
                "Run `envsync apply`, which installs the same versions from the lock.",
            ),
            Code.CHANGED_BY_HOOK: (
                "A hook changed the environment that it ran in",
                f"{_HOOK_WRITES} `envsync apply --skip-hooks` rebuilds without running it.",
            ),
            Code.INSTALLED_BY_HAND: ("A package was installed manually", _REVERT),
            Code.REMOVED_BY_HAND: ("A package was removed manually", _REVERT),
            Code.CHANGED_BY_HAND: ("A package was changed manually", _REVERT),
            Code.FILES_EDITED: ("Files of a package differ from those that were installed", _REVERT),
            Code.METADATA_DAMAGED: ("A package's metadata is damaged", _REINSTALL),
            # the environment itself
            FindingCode.MISSING_PYVENV_CFG: ("The environment's `pyvenv.cfg` is missing", _REBUILD),
            FindingCode.BAD_PYVENV_CFG: ("The environment's `pyvenv.cfg` is damaged", _REBUILD),
            FindingCode.WRONG_HOME: (
                "The environment's `pyvenv.cfg` names a different interpreter than at the last apply",
                _REBUILD,
            ),
            FindingCode.DANGLING_INTERPRETER: (
                "The environment's `bin/python` points to a missing interpreter",
                "Install it again, or run `envsync apply`, which uses an interpreter that satisfies the manifest.",
            ),
            FindingCode.SYSTEM_SITE_PACKAGES: (
                "The environment's access to system site packages was switched manually",
                "Run `envsync apply`, which reverts it. To keep it, set `system_site_packages` in the manifest.",
            ),
            FindingCode.MOVED: (
                "The environment's scripts name a different path",
                "Find out who moved or copied the environment. `envsync apply` builds it again at its own path.",
            ),
            FindingCode.FOREIGN_DIRECTORY: (
                "A directory that envsync did not create exists at the environment's path",
                _MOVE_AWAY,
            ),
            FindingCode.FOREIGN_VENV: (
                "A virtual environment that envsync did not create exists at the environment's path",
                "Move it to a different path. `envsync apply --adopt` takes it over.",
            ),
            FindingCode.FOREIGN_SYMLINK: (
                "A symbolic link that envsync did not create exists at the environment's path",
                _MOVE_AWAY,
            ),
            FindingCode.FOREIGN_FILE: (
                "A file that envsync did not create exists at the environment's path",
                _MOVE_AWAY,
            ),
            FindingCode.UNREADABLE: (
                "A file or directory of the environment could not be read",
                "Fix its permissions and run the command again. `envsync apply` builds the environment again.",
            ),
            # a package's metadata
            FindingCode.MISSING_METADATA: ("A package's `METADATA` is missing", _REINSTALL),
            FindingCode.EMPTY_METADATA: ("A package's `METADATA` is empty", _REINSTALL),
            FindingCode.UNDECODABLE_METADATA: ("A package's `METADATA` is not UTF-8", _REINSTALL),
            FindingCode.INVALID_METADATA: ("A package's `METADATA` lacks a valid name or version", _REINSTALL),
            FindingCode.INVALID_VERSION: ("A package's version is not a valid PEP 440 version", _REINSTALL),
            FindingCode.MISSING_RECORD: (
                "A package's `RECORD` is missing, so it is unknown which files belong to the package",
                _REINSTALL,
            ),
            FindingCode.BAD_RECORD: ("A package's `RECORD` is damaged", _REINSTALL),
            FindingCode.BAD_DIRECT_URL: ("A package's `direct_url.json` is damaged", _REINSTALL),
            FindingCode.DUPLICATE_DIST_INFO: (
                "A package is installed twice",
                "Find out what installed it again. `envsync apply` builds the environment again.",
            ),
            FindingCode.LEFTOVER: (
                "An interrupted `pip uninstall` left a directory",
                "Delete it, or run `envsync apply`, which builds the environment again.",
            ),
            FindingCode.EGG_LINK: ("A package was installed manually as an egg-link", _REVERT),
            FindingCode.EDITABLE_MISSING: (
                "A directory that an editable project is installed or imported from is missing, or contains no project",
                "Restore the directory, or run `envsync apply`, which installs from the manifest's directory.",
            ),
            # a file
            FindingCode.FILE_CHANGED: ("A file of the environment was edited", _REVERT_FILE),
            FindingCode.FILE_MISSING: ("A file of the environment was deleted", _REVERT_FILE),
            FindingCode.DIRECTORY_MISSING: ("An empty directory of the environment was deleted", _REVERT_FILE),
            FindingCode.FILE_ADDED: ("A file was added to the environment", _REVERT_FILE),
            FindingCode.FILE_TYPE_CHANGED: (
                "A file of the environment was replaced with one of a different type",
                _REVERT_FILE,
            ),
            FindingCode.MODE_CHANGED: ("The executable bit of a file was changed", _REVERT_FILE),
            FindingCode.STRAY_BYTECODE: (
                "Bytecode has no source, or is outside `__pycache__`",
                _REMOVE_BYTECODE,
            ),
            FindingCode.BYTECODE_MISMATCH: ("Bytecode does not match its source", _REMOVE_BYTECODE),
            FindingCode.ACCESS_NARROWED: (
                "A file is closed to users who may read the root",
                "Find out what changed its mode. `envsync apply` builds the environment again, readable as the root.",
            ),
            FindingCode.SEAL_DAMAGED: (
                "The seal of the generation is damaged or missing, so files could not be compared",
                _REBUILD,
            ),
            FindingCode.INVENTORY_UNREADABLE: (
                "The inventory of the generation is damaged, so files could not be compared",
                _REBUILD,
            ),
        },
    ),
    **_rules(
        Severity.SECURITY,
        {
            FindingCode.STARTUP_ADDED: (
                "A file that Python runs at every start was added to the environment",
                _RUNS_AT_START,
            ),
            FindingCode.STARTUP_CHANGED: (
                "A file that Python runs at every start was changed",
                _RUNS_AT_START,
            ),
        },
    ),
    **_rules(
        Severity.BLOCKED,
        {
            Code.PREVENT_DESTROY: (
                "The environment would be deleted, but `prevent_destroy` protects it",
                "Keep the environment in the manifest, or apply it with `prevent_destroy: false` before you remove it.",
            ),
            Code.NOT_OURS: (
                "Something that envsync did not create exists at the environment's path",
                "Move it to a different path. `envsync apply --adopt` takes over a virtual environment.",
            ),
            Code.OTHER_PROJECT: (
                "Another project in the same root owns the environment's name",
                "Choose a different name or a different root.",
            ),
            Code.OTHER_MANIFEST: (
                "Another manifest with the same `project` and root applied the environment",
                "Give each manifest its own `project`. `envsync apply --take-over` deletes what the other one applied.",
            ),
            Code.NAME_IN_USE: (
                "Generations or scripts of a different environment use the name",
                "Choose a different name, or run `envsync gc --deleted` if a deleted environment had it.",
            ),
            Code.HAS_DEPENDENTS: (
                "Other environments depend on the one that would be deleted",
                "Remove it from their `depends_on` and apply them, or delete them together.",
            ),
            Code.HELD: (
                "The environment is held, so applies neither change nor delete it",
                "Ask the person who holds it. `envsync release NAME` ends the hold.",
            ),
            Code.DELETES_WAIT: (
                "The environment would be deleted, but something else could not be applied",
                "Make the other environments apply first, then run `envsync apply`, which deletes it.",
            ),
            Code.STAGE_OUTDATED: (
                "The environment changed after a generation was staged for it, or the manifest no longer declares it",
                "Run `envsync plan`, then `envsync apply --stage` to stage it again.",
            ),
            Code.IGNORED_WOULD_BE_LOST: (
                "A rebuild would lose packages or files that `ignore` or `ignore_files` matches",
                "Copy files elsewhere, and add packages to the manifest. `envsync apply --drop-ignored` drops them.",
            ),
            Code.EMPTY_MANIFEST: (
                "The manifest declares no environments, so all of them would be deleted",
                "Check the manifest. `envsync apply --allow-empty` deletes all environments.",
            ),
            Code.UNDECLARED_DRIFTED: (
                "A kept environment that the manifest no longer declares was changed manually",
                "Find out who made the change. Declare the environment again, or undo the change.",
            ),
            Code.NO_INTERPRETER: (
                "The machine has no Python interpreter that the environment requests",
                "Install one, or change `python` in the manifest. In a matrix, `if_available: true` skips the version.",
            ),
            Code.UNSET_VARIABLE: (
                "A variable that `build_env` takes from the shell is not set",
                "Set the variable, or remove it from `from_env` in the manifest.",
            ),
            Code.LOCK_UNREADABLE: (
                "The lock of the environment cannot be used",
                "Restore the lock from version control, or delete it and run `envsync lock`.",
            ),
            Code.LOCK_REFUSED: (
                "The manifest does not allow what the lock of the environment contains",
                "Find out who changed the lock. `envsync lock` makes it again from the manifest.",
            ),
            Code.STATE_UNREADABLE: (
                "The record or the seal of the environment could not be read",
                "Fix its permissions, or restore it from a backup. Nothing of the environment is changed until then.",
            ),
            Code.NEWER_FORMAT: (
                "A newer envsync made the record, the seal or the lock of the environment",
                "Use the envsync that made it, or a newer one. Nothing of the environment is changed until then.",
            ),
            Code.DEPENDENCY_BLOCKED: (
                "An environment that this one depends on is blocked",
                "Unblock the other environment first.",
            ),
        },
    ),
    **_rules(
        Severity.FAILED,
        {
            Code.LOCK_FAILED: (
                "The environment could not be locked",
                "Change the requirements or the indexes as the message says, then run `envsync lock`.",
            ),
            Code.DEPENDENCY_FAILED: (
                "An environment that this one depends on failed",
                "Fix the other environment first, then run the command again.",
            ),
            APPLY_FAILED: ("The environment could not be applied", _RETRY),
            "probe-failed": ("A probe failed, so the environment was not published", _RETRY),
            "hook-failed": (
                "A hook failed",
                "Fix the hook, then run `envsync apply` again, which runs it again. `--skip-hooks` runs no hooks.",
            ),
            "health-failed": (
                "The health check of a new generation did not succeed in time; the generation stays published",
                "Fix the service or the check, then run `envsync apply` to check again.",
            ),
            "rolled-back-after-failure": (
                "A hook or the health check of a new generation failed, and the previous one is published again",
                "Fix the problem that the message describes, then run `envsync apply` to try again.",
            ),
            "hook-changed-environment": (
                "The hooks succeeded, but changed the environment that they ran in",
                _HOOK_WRITES,
            ),
            "interrupted": (
                "The apply was interrupted before the environment was published",
                "Run `envsync apply` again. The published generation is unchanged.",
            ),
            "gc-failed": (
                "Old generations could not be deleted",
                "Fix the problem that the message describes, then run `envsync gc`. The environments are not affected.",
            ),
        },
    ),
}
