"""An environment's drift one by one: the packages that were changed manually, and the findings."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from reconciler.diff.findings import FindingCategory, category_of
from reconciler.diff.model import Origin, PackageChange, Reason, ReasonCode
from reconciler.observe.actual import STARTUP_CODES, Finding
from reconciler.plan.model import EnvironmentPlan

MAX_PER_CODE = 20  # packages or findings of one environment
_PACKAGE_REASONS = frozenset({ReasonCode.PACKAGES_DRIFTED, ReasonCode.ALREADY_AS_DESIRED})
_FINDING_REASONS = frozenset({ReasonCode.FILES_DRIFTED, ReasonCode.ENVIRONMENT_DAMAGED})
# A package with one of these reasons is only repaired because of findings.
_REPAIR_CODES = frozenset({ReasonCode.FILES_EDITED, ReasonCode.METADATA_DAMAGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftList:
    """The drift of one environment.

    `packages` and `findings` are the first 20 of each code. `omitted` has the numbers of the others: by the reason that
    counts them, then by code. `replaced` are the codes of the reasons that only count what is listed, and `reasons` are
    the environment's other reasons.
    """

    packages: tuple[PackageChange, ...]
    findings: tuple[Finding, ...]
    omitted: dict[ReasonCode, Counter[str]]
    replaced: frozenset[ReasonCode]
    reasons: tuple[Reason, ...]


def list_drift(environment: EnvironmentPlan) -> DriftList:
    """Return an environment's drift; findings about something that envsync did not create are not drift."""
    changed = [each for each in environment.packages if drift_code(each) is not None]
    names = {each.name for each in changed}
    codes = {each.code for each in environment.reasons}
    # A plan that was filtered to pending changes has packages with both origins, but no reasons that are drift.
    packages = changed if codes & _PACKAGE_REASONS else []
    findings = []
    if codes & _FINDING_REASONS:
        findings = [each for each in environment.findings if each.package not in names or each.code in STARTUP_CODES]
    omitted: dict[ReasonCode, Counter[str]] = {}
    counts: Counter[str] = Counter()
    counting: set[ReasonCode] = set()

    def listed(code: str, counted_by: ReasonCode) -> bool:
        counting.add(counted_by)
        counts[code] += 1
        if counts[code] > MAX_PER_CODE:
            omitted.setdefault(counted_by, Counter())[code] += 1
        return counts[code] <= MAX_PER_CODE

    listed_packages = [each for each in packages if listed(drift_code(each) or each.reason, _package_reason(each))]
    listed_findings = [each for each in _merged(findings) if listed(each.code, _finding_reason(each))]
    if any(each.origin is Origin.BOTH and each.drift_reason is None for each in environment.packages):
        counting.discard(ReasonCode.PACKAGES_DRIFTED)  # a plan of format 1.0: it counts packages that are not listed
    replaced = frozenset(counting - omitted.keys())
    return DriftList(
        packages=tuple(listed_packages),
        findings=tuple(listed_findings),
        omitted=omitted,
        replaced=replaced,
        reasons=tuple(_without_first(environment.reasons, replaced)),
    )


def drift_code(change: PackageChange) -> ReasonCode | None:
    """Return how a package was changed manually, None if it was not: it is pending, or only repaired.

    In a plan of format 1.0 this is unknown of a package that changed on both sides, and None.
    """
    code = change.reason if change.origin is Origin.DRIFT else change.drift_reason
    return None if code in _REPAIR_CODES else code


def finding_key(finding: Finding) -> tuple[str, str, str]:
    """Return what identifies a finding in its environment; the package counts only without a path."""
    return (finding.code, "" if finding.path else finding.package, finding.path)


def _merged(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield one finding for each key, with the details of all."""
    found: dict[tuple[str, str, str], list[Finding]] = {}
    for each in findings:
        found.setdefault(finding_key(each), []).append(each)
    for same in found.values():
        details = dict.fromkeys(each.detail for each in same if each.detail)
        yield replace(same[0], detail="; ".join(details))


def _without_first(reasons: Iterable[Reason], codes: Iterable[ReasonCode]) -> Iterator[Reason]:
    """Yield the reasons without the first of each of these codes.

    There is a second one only for `environment-damaged`: the first counts findings, and the second is about the
    generation as a whole (`reconciler.diff.environment`).
    """
    remaining = set(codes)
    for each in reasons:
        if each.code in remaining:
            remaining.discard(each.code)
        else:
            yield each


def _package_reason(change: PackageChange) -> ReasonCode:
    """Return the code of the reason that counts a package."""
    already = change.reason is ReasonCode.ALREADY_AS_DESIRED
    return ReasonCode.ALREADY_AS_DESIRED if already else ReasonCode.PACKAGES_DRIFTED


def _finding_reason(finding: Finding) -> ReasonCode:
    """Return the code of the reason that counts a finding."""
    files = category_of(finding) is FindingCategory.FILES
    return ReasonCode.FILES_DRIFTED if files else ReasonCode.ENVIRONMENT_DAMAGED
