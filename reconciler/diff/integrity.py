"""Compare a generation with its seal: only drift counts, whatever the manifest says now."""

from dataclasses import dataclass, field

from reconciler.diff.model import PackageChange
from reconciler.diff.packages import NO_PLACES, distributions_by_name, ignored_packages, package_changes
from reconciler.diff.repairs import drift_findings, unexplained_findings, with_repairs
from reconciler.observe.actual import ActualEnvironment, EditedInode, Finding, FindingCode, Occupant
from reconciler.state.applied import Applied


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrity:
    """How one generation differs from its seal; `exists` is False if its virtual environment is gone.

    `problem` is why it could not be compared, or not completely; empty otherwise. `edited` are the inodes of edited
    files that other generations may share. `unusable` are the older generations of the environment that differ from
    their seals, although they did not drift while they were published.
    """

    name: str
    generation: int
    exists: bool
    packages: tuple[PackageChange, ...]
    findings: tuple[Finding, ...]
    problem: str = ""
    edited: tuple[EditedInode, ...] = field(default=(), compare=False)
    unusable: tuple[int, ...] = ()

    @property
    def intact(self) -> bool:
        """Return whether the generation is as it was sealed."""
        return self.exists and not (self.packages or self.findings or self.problem)


def check_integrity(actual: ActualEnvironment, last: Applied, today: str) -> Integrity:
    """Compare an observed generation with its seal; packages that `ignore` matches do not count.

    `today` is a date in UTC (`2026-12-31`), by which exceptions expire.
    """
    installed = distributions_by_name(actual.distributions, last)
    ignored = ignored_packages(installed, last.ignore_patterns("ignore", today), last.packages, last)
    counted = {name: each for name, each in installed.items() if name not in ignored}
    exists = actual.occupant is Occupant.PUBLISHED
    changes = package_changes(last.packages, last, counted, moved=(), places=NO_PLACES) if exists else ()
    observed = actual.findings
    if exists and actual.seal and actual.seal != last.seal:
        detail = "its seal differs from the one that was applied"
        observed = (*observed, Finding(code=FindingCode.INVENTORY_UNREADABLE, detail=detail))
    findings = drift_findings(observed, last.accepted, ignored)
    return Integrity(
        name=last.name,
        generation=last.generation,
        exists=exists,
        packages=with_repairs(changes, unexplained_findings(findings, changes), counted),
        findings=findings,
        edited=actual.edited,
    )
