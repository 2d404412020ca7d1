"""Which findings are drift, and which packages must be repaired because of them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from reconciler.diff.findings import FindingCategory, category_of, package_damage
from reconciler.diff.model import Origin, PackageAction, PackageChange, ReasonCode
from reconciler.observe.actual import STARTUP_CODES, Distribution, Finding


def drift_findings(
    findings: Iterable[Finding], accepted: Collection[str], ignored: Collection[str]
) -> tuple[Finding, ...]:
    """Return the findings that are drift: new since the generation was sealed, and not in an ignored package.

    A file finding is left out if a metadata finding covers it: METADATA that is empty was also edited. What Python runs
    at every start comes first.
    """
    new = {each for each in findings if each.key not in accepted and each.package not in ignored}
    covered = {each.path for each in new if category_of(each) is FindingCategory.METADATA}
    files = {each for each in new if category_of(each) is FindingCategory.FILES}
    kept = (each for each in new if each not in files or not _is_covered(each.path, covered))
    return tuple(sorted(kept, key=lambda each: (each.code not in STARTUP_CODES, each)))


def _is_covered(path: str, covered: Collection[str]) -> bool:
    """Return whether a metadata finding is about this file, or about the metadata directory that it is in."""
    return path in covered or path.rpartition("/")[0] in covered


def unexplained_findings(findings: Iterable[Finding], changes: Iterable[PackageChange]) -> tuple[Finding, ...]:
    """Return the findings outside packages that have drifted themselves: one line for each package is enough.

    What Python runs at every start is always a finding of its own.
    """
    drifted = {each.name for each in changes if each.origin is not Origin.PENDING}
    return tuple(each for each in findings if each.package not in drifted or each.code in STARTUP_CODES)


def with_repairs(
    changes: Iterable[PackageChange], findings: Iterable[Finding], found: Mapping[str, Distribution]
) -> tuple[PackageChange, ...]:
    """Return the changes and a repair for each package with findings.

    A package that changes anyway gets no second line; its origin becomes `both`.
    """
    lines = {each.name: each for each in changes}
    damaged: dict[str, list[Finding]] = {}
    for each in findings:
        damaged.setdefault(each.package, []).append(each)
    for name, wrong in damaged.items():
        damage = package_damage(wrong)
        damaged_metadata = any(category_of(each) is FindingCategory.METADATA for each in wrong)
        reason = ReasonCode.METADATA_DAMAGED if damaged_metadata else ReasonCode.FILES_EDITED
        files = tuple(sorted({each.path for each in wrong if each.path}))
        if name in lines and lines[name].origin is not Origin.PENDING:
            continue  # it was changed manually, with all of its files
        if name in lines:
            line = lines[name]
            message = f"{line.message}, and {damage}"
            lines[name] = replace(line, origin=Origin.BOTH, message=message, drift_reason=reason, files=files)
        elif name in found:
            lines[name] = PackageChange(
                name=name,
                action=PackageAction.REPAIR,
                origin=Origin.DRIFT,
                reason=reason,
                message=damage,
                drift_reason=reason,
                before=found[name].version,
                after=found[name].version,
                files=files,
            )
    return tuple(lines[name] for name in sorted(lines))
