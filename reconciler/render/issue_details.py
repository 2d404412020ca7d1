"""The details of an issue: the packages, settings and findings behind a reason, worded as in the plan's text."""

from collections.abc import Sequence

from reconciler.diff.findings import FindingCategory, category_of
from reconciler.diff.model import Origin, PackageChange, ReasonCode
from reconciler.events import Failure
from reconciler.plan.model import EnvironmentPlan
from reconciler.render.environment_text import findings_to_list
from reconciler.render.error_text import detail_lines
from reconciler.render.escape import sanitize
from reconciler.render.finding_text import finding_sentences
from reconciler.render.package_text import PACKAGE_SYMBOLS, package_sentence, version_change
from reconciler.render.setting_text import setting_sentence

MAX_LINES = 40
# The reasons that cause pending package changes; the first one that an environment has lists the packages.
_CAUSES_OF_PACKAGE_CHANGES = (
    ReasonCode.LOCK_CHANGED,
    ReasonCode.LOCK_STALE,
    ReasonCode.LOCK_MISSING,
    ReasonCode.ROLLED_BACK,
    ReasonCode.INTERPRETER_CHANGED,
    ReasonCode.SYSTEM_SITE_PACKAGES_CHANGED,
)


def reason_details(environment: EnvironmentPlan, code: ReasonCode) -> list[str]:
    """Return what is behind one of an environment's reasons as sanitized lines, at most forty."""
    match code:
        case ReasonCode.SETTINGS_CHANGED:
            lines = [setting_sentence(each) for each in environment.settings]
        case ReasonCode.FILES_DRIFTED | ReasonCode.ENVIRONMENT_DAMAGED:
            files = code is ReasonCode.FILES_DRIFTED
            findings = [
                each for each in findings_to_list(environment) if (category_of(each) is FindingCategory.FILES) is files
            ]
            lines = finding_sentences(findings, known={each.message for each in environment.reasons})
        case _:
            changes = [each for each in environment.packages if _causes(environment, code, each)]
            lines = [f"{PACKAGE_SYMBOLS[each.action][0]} {package_line(each)}" for each in changes]
    return first_lines(lines)


def package_line(change: PackageChange) -> str:
    """Return what happens to a package and why, sanitized: `idna 3.9 -> 3.10: lock changed`."""
    return f"{sanitize(change.name)} {version_change(change)}: {package_sentence(change)}"


def failure_details(failure: Failure) -> list[str]:
    """Return a failure's code, its details and its hint as sanitized lines."""
    hints = [f"hint: {sanitize(failure.hint)}"] if failure.hint else []
    return [f"code: {sanitize(failure.code)}", *first_lines(detail_lines(failure.details, indent=0)), *hints]


def first_lines(lines: Sequence[str]) -> list[str]:
    """Return at most forty lines, the last one with the number of further lines."""
    if len(lines) <= MAX_LINES:
        return list(lines)
    return [*lines[: MAX_LINES - 1], f"and {len(lines) - MAX_LINES + 1} more"]


def _causes(environment: EnvironmentPlan, code: ReasonCode, change: PackageChange) -> bool:
    """Return whether an environment's reason with this code is why a package changes."""
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
            first = next((each for each in _CAUSES_OF_PACKAGE_CHANGES if each in codes), None)
            by_source = change.reason is ReasonCode.SOURCE_CHANGED and ReasonCode.SOURCE_CHANGED in codes
            return code is first and change.origin is Origin.PENDING and not by_source
