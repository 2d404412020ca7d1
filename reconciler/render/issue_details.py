"""The lines below an issue: the packages, settings and findings behind a reason, as the plan's text has them."""

from collections.abc import Sequence

from reconciler.diff.findings import Concern, concern
from reconciler.diff.model import Origin, PackageChange, ReasonCode
from reconciler.events import Failure
from reconciler.plan.model import EnvironmentPlan
from reconciler.render.environment_text import told_findings
from reconciler.render.escape import shown
from reconciler.render.finding_text import finding_sentences
from reconciler.render.package_text import SYMBOLS, changed_versions, package_sentence
from reconciler.render.setting_text import setting_sentence

MOST_LINES = 40
# The reasons that bring pending packages; the first that an environment has tells them.
_BRINGS_PACKAGES = (
    ReasonCode.LOCK_CHANGED,
    ReasonCode.LOCK_STALE,
    ReasonCode.LOCK_MISSING,
    ReasonCode.ROLLED_BACK,
    ReasonCode.INTERPRETER_CHANGED,
    ReasonCode.SYSTEM_SITE_PACKAGES_CHANGED,
)


def details_of(environment: EnvironmentPlan, code: ReasonCode) -> list[str]:
    """Return what is behind one of an environment's reasons, a line each, fit to show, and at most forty."""
    match code:
        case ReasonCode.SETTINGS_CHANGED:
            lines = [setting_sentence(each, whole=False) for each in environment.settings]
        case ReasonCode.FILES_DRIFTED | ReasonCode.ENVIRONMENT_DAMAGED:
            files = code is ReasonCode.FILES_DRIFTED
            found = [each for each in told_findings(environment) if (concern(each) is Concern.FILES) is files]
            lines = finding_sentences(found, said={each.message for each in environment.reasons})
        case _:
            changes = [each for each in environment.packages if _brings(environment, code, each)]
            lines = [f"{SYMBOLS[each.action][0]} {package_line(each)}" for each in changes]
    return bounded(lines)


def package_line(change: PackageChange) -> str:
    """Return what happens to a package, and why: `idna 3.9 -> 3.10: lock changed`, fit to show."""
    return f"{shown(change.name)} {changed_versions(change)}: {package_sentence(change)}"


def failure_details(failure: Failure) -> list[str]:
    """Return a failure's code, what a child said last, and its hint."""
    hints = [f"hint: {shown(failure.hint)}"] if failure.hint else []
    return [f"code: {shown(failure.code)}", *bounded([shown(each) for each in failure.details]), *hints]


def bounded(lines: Sequence[str]) -> list[str]:
    """Return the first forty lines, and how many more there are."""
    if len(lines) <= MOST_LINES:
        return list(lines)
    return [*lines[: MOST_LINES - 1], f"and {len(lines) - MOST_LINES + 1} more"]


def _brings(environment: EnvironmentPlan, code: ReasonCode, change: PackageChange) -> bool:
    """Say whether an environment's reason with this code is why a package changes."""
    already = change.reason is ReasonCode.ALREADY_AS_DESIRED
    match code:
        case ReasonCode.PACKAGES_DRIFTED:
            return change.origin is not Origin.PENDING and not already
        case ReasonCode.ALREADY_AS_DESIRED:
            return already
        case ReasonCode.SOURCE_CHANGED:
            return change.origin is Origin.PENDING and change.reason is code
        case _:
            codes = [each.code for each in environment.reasons]
            first = next((each for each in _BRINGS_PACKAGES if each in codes), None)
            told = change.reason is ReasonCode.SOURCE_CHANGED and ReasonCode.SOURCE_CHANGED in codes
            return code is first and change.origin is Origin.PENDING and not told
