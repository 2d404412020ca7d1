"""What each code of a report stands for, in words: the rules that `sarif` declares and `gitlab` names.

A reason's code (`reconciler.diff.model.ReasonCode`) is one, and so is each way in which an apply can fail.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler.diff.model import Origin, ReasonCode

Code = ReasonCode


class Weight(StrEnum):
    """How much an issue matters, the heaviest first."""

    FAILED = "failed"  # something could not be done
    BLOCKED = "blocked"  # a change that must not be made
    DRIFT = "drift"  # somebody's hand
    PENDING = "pending"  # the manifest or the lock moved


WEIGHTS: Mapping[Origin, Weight] = {
    Origin.PENDING: Weight.PENDING,
    Origin.DRIFT: Weight.DRIFT,
    Origin.BOTH: Weight.DRIFT,
}
APPLY_FAILED = "apply-failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One code's meaning: what it says, what to do about it, and its usual weight."""

    says: str
    remedy: str
    weight: Weight


def _rules(weight: Weight, remedy: str, meanings: Mapping[str, str]) -> dict[str, Rule]:
    return {str(code): Rule(says=says, remedy=remedy, weight=weight) for code, says in meanings.items()}


RULES: Mapping[str, Rule] = {
    **_rules(
        Weight.PENDING,
        "Review the plan; `envsync apply` makes it so.",
        {
            Code.NEW: "The environment is in the manifest and was never applied",
            Code.INTERPRETER_CHANGED: "The environment is to have another Python interpreter",
            Code.SYSTEM_SITE_PACKAGES_CHANGED: "Access to the system's site packages was switched in the manifest",
            Code.LOCK_CHANGED: "The lock asks for other packages than were applied",
            Code.LOCK_MISSING: "The environment has no lock yet",
            Code.LOCK_STALE: "The lock is older than what it was made from",
            Code.SOURCE_CHANGED: "The source of a local project changed",
            Code.SETTINGS_CHANGED: "Settings of the environment changed in the manifest",
            Code.HOOKS_PENDING: "Hooks after the last publish did not get to their end",
            Code.ROLLED_BACK: "A rollback published an older generation than the manifest asks for",
            Code.NOT_IN_MANIFEST: "The manifest no longer names the environment",
            Code.DESTROY_REQUESTED: "The environment is to be destroyed",
            Code.ADOPT_REQUESTED: "What stands at the environment's path is to be taken over",
            Code.NEW_IN_LOCK: "The lock has a package that was not applied",
            Code.NOT_IN_LOCK: "A package was applied that the lock no longer has",
        },
    ),
    **_rules(
        Weight.DRIFT,
        "Find out who did it. `envsync apply` puts back what manifest and lock say; what is to stay belongs into them.",
        {
            Code.GONE: "The environment was applied and is not there",
            Code.PACKAGES_DRIFTED: "Packages were changed by hand",
            Code.FILES_DRIFTED: "Files of the environment were changed by hand",
            Code.ENVIRONMENT_DAMAGED: "The environment is damaged",
            Code.ALREADY_AS_DESIRED: "Somebody's hand did what the manifest now asks for",
            Code.INSTALLED_BY_HAND: "A package was installed by hand",
            Code.REMOVED_BY_HAND: "A package was removed by hand",
            Code.CHANGED_BY_HAND: "A package was changed by hand",
            Code.FILES_EDITED: "Files of a package are not those that were installed",
            Code.METADATA_DAMAGED: "A package's metadata is damaged",
        },
    ),
    **_rules(
        Weight.BLOCKED,
        "Apply refuses this change until what stands in its way is gone; the message and its hint say what that is.",
        {
            Code.PREVENT_DESTROY: "The environment would be deleted and is protected from that",
            Code.NOT_OURS: "Something that envsync did not make stands at the environment's path",
            Code.OTHER_PROJECT: "Another project of the same root owns the environment's name",
            Code.IGNORED_WOULD_BE_LOST: "A rebuild would lose packages that are somebody else's",
            Code.EMPTY_MANIFEST: "The manifest has no environments at all, and everything would be deleted",
            Code.DEPENDENCY_BLOCKED: "What the environment depends on is blocked",
        },
    ),
    **_rules(
        Weight.FAILED,
        "The message says what failed; mend that and run the command again. What was live before is live.",
        {
            Code.LOCK_FAILED: "The environment could not be locked",
            Code.DEPENDENCY_FAILED: "What the environment depends on failed",
            APPLY_FAILED: "The environment could not be applied",
            "probe-failed": "A probe failed, and the environment was not published",
            "hook-failed": "A hook failed",
            "interrupted": "The apply was interrupted before the environment was done",
            "gc-failed": "The collection of old generations failed",
        },
    ),
}
