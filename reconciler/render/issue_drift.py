"""An environment's drift one by one: the packages that were changed manually, and the findings."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from reconciler.diff.findings import FindingCategory, category_of
from reconciler.diff.model import Origin, PackageChange, Reason, ReasonCode
from reconciler.diff.packages import SENTENCES
from reconciler.diff.reasons import drift_reasons, finding_reasons
from reconciler.observe.actual import Finding
from reconciler.plan.model import EnvironmentPlan

MAX_PER_CODE = 20  # packages or findings of one environment
_PACKAGE_REASONS = frozenset({ReasonCode.PACKAGES_DRIFTED, ReasonCode.ALREADY_AS_DESIRED})
_FINDING_REASONS = frozenset({ReasonCode.FILES_DRIFTED, ReasonCode.ENVIRONMENT_DAMAGED})
# A package with one of these reasons is only repaired because of findings.
_REPAIR_CODES = frozenset({ReasonCode.FILES_EDITED, ReasonCode.METADATA_DAMAGED})
_CODES_OF_BOTH = (ReasonCode.INSTALLED_BY_HAND, ReasonCode.REMOVED_BY_HAND, ReasonCode.CHANGED_BY_HAND)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftList:
    """The drift of one environment.

    `packages` and `findings` are the first 20 of each code. `omitted` has the numbers of the others: by the reason that
    counts them, then by code. `replaced` are the reasons that only count what is listed.
    """

    packages: tuple[PackageChange, ...]
    findings: tuple[Finding, ...]
    omitted: dict[ReasonCode, Counter[str]]
    replaced: frozenset[Reason]


def list_drift(environment: EnvironmentPlan) -> DriftList:
    """Return an environment's drift; findings about something that envsync did not create are not drift."""
    changed = [each for each in environment.packages if drift_code(each) is not None]
    names = {each.name for each in changed}
    codes = {each.code for each in environment.reasons}
    # A plan that was filtered to pending changes has packages with both origins, but no reasons that are drift.
    packages = changed if codes & _PACKAGE_REASONS else []
    findings = [each for each in environment.findings if each.package not in names] if codes & _FINDING_REASONS else []
    # Findings that a hook caused are listed too, but no reason counts them, so the numbers can differ.
    counting = [each for each in environment.reasons if each.code is ReasonCode.FILES_DRIFTED and findings]
    omitted: dict[ReasonCode, Counter[str]] = {}
    counts: Counter[str] = Counter()

    def listed(code: str, counted_by: ReasonCode) -> bool:
        counts[code] += 1
        if counts[code] > MAX_PER_CODE:
            omitted.setdefault(counted_by, Counter())[code] += 1
        return counts[code] <= MAX_PER_CODE

    return DriftList(
        packages=tuple(each for each in packages if listed(drift_code(each) or each.reason, _package_reason(each))),
        findings=tuple(each for each in _merged(findings) if listed(each.code, _finding_reason(each))),
        omitted=omitted,
        replaced=frozenset(
            each
            for each in (*drift_reasons(packages), *finding_reasons(findings), *counting)
            if each.code not in omitted
        ),
    )


def drift_code(change: PackageChange) -> ReasonCode | None:
    """Return how a package was changed manually, None if it was not: it is pending, or only repaired."""
    match change.origin:
        case Origin.DRIFT:
            return None if change.reason in _REPAIR_CODES else change.reason
        case Origin.BOTH:  # its reason is the pending one, and its sentence ends with the other
            return next((each for each in _CODES_OF_BOTH if change.message.endswith(f", and {SENTENCES[each]}")), None)
        case _:
            return None


def finding_key(finding: Finding) -> tuple[str, str, str]:
    """Return what identifies a finding in its environment; the package counts only without a path."""
    return (finding.code, "" if finding.path else finding.package, finding.path)


def _merged(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield one finding for each key, with the details of all."""
    found: dict[tuple[str, str, str], Finding] = {}
    for each in findings:
        first = found.setdefault(finding_key(each), each)
        if each.detail not in first.detail:
            found[finding_key(each)] = replace(first, detail=f"{first.detail}; {each.detail}")
    yield from found.values()


def _package_reason(change: PackageChange) -> ReasonCode:
    """Return the code of the reason that counts a package."""
    already = change.reason is ReasonCode.ALREADY_AS_DESIRED
    return ReasonCode.ALREADY_AS_DESIRED if already else ReasonCode.PACKAGES_DRIFTED


def _finding_reason(finding: Finding) -> ReasonCode:
    """Return the code of the reason that counts a finding."""
    files = category_of(finding) is FindingCategory.FILES
    return ReasonCode.FILES_DRIFTED if files else ReasonCode.ENVIRONMENT_DAMAGED
