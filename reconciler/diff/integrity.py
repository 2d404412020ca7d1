"""What differs between what was sealed and what is there: drift alone, whatever the manifest says now."""

from dataclasses import dataclass

from reconciler.diff.findings import beyond, drifted, with_repairs
from reconciler.diff.model import PackageChange
from reconciler.diff.packages import by_key, package_changes, somebody_elses
from reconciler.diff.settings import names_in
from reconciler.observe.actual import ActualEnvironment, Finding, FindingCode, Occupant
from reconciler.state.applied import Applied


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrity:
    """One generation held against its seal; `there` says that it has a venv at all."""

    name: str
    generation: int
    there: bool
    packages: tuple[PackageChange, ...]
    findings: tuple[Finding, ...]

    @property
    def intact(self) -> bool:
        """Say whether it is as it was sealed."""
        return self.there and not self.packages and not self.findings


def integrity(actual: ActualEnvironment, last: Applied) -> Integrity:
    """Compare an observed generation with what was sealed; what `ignore` names is somebody else's."""
    installed = by_key(actual.distributions, last)
    ignored = somebody_elses(installed, names_in(last.settings, "ignore"), last.packages, last)
    counted = {name: each for name, each in installed.items() if name not in ignored}
    stands = actual.occupant is Occupant.PUBLISHED
    changes = package_changes(last.packages, last, counted) if stands else ()
    seen = actual.findings
    if stands and actual.seal != last.seal:
        detail = "its seal is not the one that was applied"
        seen = (*seen, Finding(code=FindingCode.INVENTORY_UNREADABLE, detail=detail))
    findings = drifted(seen, last.accepted, ignored)
    return Integrity(
        name=last.name,
        generation=last.generation,
        there=stands,
        packages=with_repairs(changes, beyond(findings, changes), counted),
        findings=findings,
    )
