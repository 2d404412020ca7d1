"""What each code of a report means and what to do about it: the rules that `sarif` declares and `gitlab` names.

This is the only table of these meanings. It has every reason's code (`reconciler.diff.model.ReasonCode`) and a code for
each way in which an apply can fail.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler.diff.model import Origin, ReasonCode

Code = ReasonCode


class Severity(StrEnum):
    """How much an issue matters, the most severe first."""

    FAILED = "failed"  # an apply or a lock failed
    BLOCKED = "blocked"  # apply refuses the change
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
            Code.SETTINGS_CHANGED: ("The environment's settings changed in the manifest", _REVIEW),
            Code.HOOKS_PENDING: (
                "The hooks of the last apply did not finish",
                "Run `envsync apply`, which runs them again.",
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
            Code.INSTALLED_BY_HAND: ("A package was installed manually", _REVERT),
            Code.REMOVED_BY_HAND: ("A package was removed manually", _REVERT),
            Code.CHANGED_BY_HAND: ("A package was changed manually", _REVERT),
            Code.FILES_EDITED: ("Files of a package differ from those that were installed", _REVERT),
            Code.METADATA_DAMAGED: (
                "A package's metadata is damaged",
                "Find out what damaged it. `envsync apply` installs the package again.",
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
            Code.IGNORED_WOULD_BE_LOST: (
                "A rebuild would lose packages that `ignore` matches",
                "Run `envsync apply --drop-ignored` to remove them, or add them to the manifest.",
            ),
            Code.EMPTY_MANIFEST: (
                "The manifest declares no environments, so all of them would be deleted",
                "Check the manifest. `envsync apply --allow-empty` deletes all environments.",
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
                "Fix the hook, then run `envsync apply` again, which runs the hooks that did not finish.",
            ),
            "interrupted": (
                "The apply was interrupted before the environment was published",
                "Run `envsync apply` again. The published generation is unchanged.",
            ),
            "gc-failed": (
                "Old generations could not be deleted",
                "Fix what the message reports, then run `envsync gc`. The environments are not affected.",
            ),
        },
    ),
}
