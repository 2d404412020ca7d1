"""The lines of an issue: a package, a finding, and the details behind a reason, worded as in the plan's text."""

from collections.abc import Sequence

from reconciler.diff.findings import FindingCategory, category_of, count_files, phrase_of
from reconciler.diff.model import Origin, PackageChange, ReasonCode
from reconciler.events import Failure
from reconciler.observe.actual import Finding
from reconciler.plan.model import EnvironmentPlan
from reconciler.render.environment_text import findings_to_list
from reconciler.render.error_text import detail_lines
from reconciler.render.escape import sanitize
from reconciler.render.finding_text import finding_sentences, phrase_names_path
from reconciler.render.issue_drift import drift_code
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
# The reasons that are about single packages.
_CAUSES_OF_ONE_PACKAGE = frozenset({ReasonCode.SOURCE_CHANGED, ReasonCode.SOURCE_MOVED})


def reason_details(environment: EnvironmentPlan, code: ReasonCode) -> list[str]:
    """Return what is behind one of an environment's reasons as sanitized lines, at most forty."""
    match code:
        case ReasonCode.SETTINGS_CHANGED:
            lines = [setting_sentence(each) for each in environment.settings]
        case ReasonCode.FILES_DRIFTED | ReasonCode.ENVIRONMENT_DAMAGED:
            files = code is ReasonCode.FILES_DRIFTED
            findings = [each for each in environment.findings if (category_of(each) is FindingCategory.FILES) is files]
            listed = set(findings_to_list(environment))
            damaged = {each.package for each in findings if each not in listed}
            lines = [_change_line(each) for each in environment.packages if _is_repaired(each, damaged)]
            lines += finding_sentences([each for each in findings if each in listed])
        case _:
            lines = [_change_line(each) for each in environment.packages if _causes(environment, code, each)]
    return first_lines(lines)


def package_line(change: PackageChange) -> str:
    """Return what happens to a package and why, sanitized: `idna 3.9 -> 3.10: lock changed`."""
    return f"{sanitize(change.name)} {version_change(change)}: {package_sentence(change)}"


def finding_line(finding: Finding) -> str:
    """Return what is wrong with which file, sanitized: `six: 1 file edited: lib/python3.12/site-packages/six.py`."""
    package = f"{sanitize(finding.package)}: " if finding.package else ""
    path = sanitize(finding.path)
    if category_of(finding) is FindingCategory.FILES:
        return f"{package}{count_files([finding])}: {path}"
    phrase = phrase_of(finding)
    return f"{package}{phrase}" if phrase_names_path(finding) else f"{package}{phrase} ({path})"


def failure_details(failure: Failure) -> list[str]:
    """Return a failure's code, its details and its hint as sanitized lines."""
    hints = [f"hint: {sanitize(failure.hint)}"] if failure.hint else []
    return [f"code: {sanitize(failure.code)}", *first_lines(detail_lines(failure.details, indent=0)), *hints]


def first_lines(lines: Sequence[str]) -> list[str]:
    """Return at most forty lines, the last one with the number of further lines."""
    if len(lines) <= MAX_LINES:
        return list(lines)
    return [*lines[: MAX_LINES - 1], f"and {len(lines) - MAX_LINES + 1} more"]


def _change_line(change: PackageChange) -> str:
    return f"{PACKAGE_SYMBOLS[change.action][0]} {package_line(change)}"


def _is_repaired(change: PackageChange, damaged: set[str]) -> bool:
    return change.name in damaged and change.origin is not Origin.PENDING and drift_code(change) is None


def _causes(environment: EnvironmentPlan, code: ReasonCode, change: PackageChange) -> bool:
    """Return whether an environment's reason with this code is why a package changes."""
    pending = change.origin is not Origin.DRIFT
    match code:
        case ReasonCode.PACKAGES_DRIFTED:
            return drift_code(change) not in {None, ReasonCode.ALREADY_AS_DESIRED}
        case ReasonCode.ALREADY_AS_DESIRED:
            return drift_code(change) is code
        case ReasonCode.SOURCE_CHANGED | ReasonCode.SOURCE_MOVED:
            return pending and change.reason is code
        case _:
            codes = [each.code for each in environment.reasons]
            first = next((each for each in _CAUSES_OF_PACKAGE_CHANGES if each in codes), None)
            by_source = change.reason in _CAUSES_OF_ONE_PACKAGE and change.reason in codes
            return code is first and pending and not by_source
