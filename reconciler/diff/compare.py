"""Compare desired, last applied and actual state, before any policy (docs/design.md, "Plan")."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from reconciler.backticks import in_backticks
from reconciler.diff.environment import environment_diff
from reconciler.diff.integrity import check_integrity
from reconciler.diff.masking import NO_KEY, Mask
from reconciler.diff.model import Diff, DiffKind, EnvironmentDiff, PackageAction, ReasonCode, Target
from reconciler.diff.reasons import drift_reasons, finding_reasons, gone_reason, is_adopted_restored, pending_reason
from reconciler.diff.renames import FOREIGN
from reconciler.diff.repairs import unexplained_findings
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualEnvironment, ActualState, Finding, Occupant
from reconciler.state.applied import Applied
from reconciler.state.store import UnreadableState

FOREIGN_OCCUPANTS = FOREIGN


def compare(
    desired: DesiredState,
    targets: Mapping[str, Target],
    actual: ActualState,
    applied: Mapping[str, Applied],
    exceptions: Iterable[tuple[str, str]] = (),
    *,
    today: str = "",
    mask: Mask = NO_KEY,
) -> Diff:
    """Compare every selected environment and, without a selection, the project's environments that are undeclared now.

    `exceptions` are pairs of an environment and a pattern whose differences do not count in it. `today` is a date in
    UTC (`2026-12-31`), by which recorded exceptions expire; without it none does. `mask` masks what is not public.
    Raises KeyError if `targets` or `actual` lack one: an environment that was not observed must not count as unchanged.
    """
    file = desired.file.name
    patterns: dict[str, list[str]] = {}
    for name, pattern in exceptions:
        patterns.setdefault(name, []).append(pattern)
    found = [
        environment_diff(
            targets[each.name],
            actual.environments[each.name],
            applied.get(each.name),
            project=desired.project,
            file=file,
            exceptions=patterns.get(each.name, ()),
            mask=mask,
        )
        for each in desired.environments
    ]
    found = [_with_former_name(each, applied.get(each.name), desired.declared) for each in found]
    found += [
        _undeclared_diff(actual.environments[name], applied[name], file, today) for name in undeclared(desired, applied)
    ]
    return Diff(environments=tuple(sorted(found, key=lambda each: each.name)))


def declared_or_readable(
    desired: DesiredState, applied: Mapping[str, Applied], unreadable: Mapping[str, UnreadableState]
) -> dict[str, Applied]:
    """Return the last applied states, and for a declared environment with an unreadable state what is known of it."""
    known = {each.name: unreadable[each.name].applied for each in desired.environments if each.name in unreadable}
    return {**applied, **{name: each for name, each in known.items() if each is not None}}


def undeclared(desired: DesiredState, applied: Mapping[str, Applied]) -> tuple[str, ...]:
    """Return the names that this project owns and no longer declares, sorted; none under a selection."""
    if desired.selected:
        return ()
    owned = {name for name, each in applied.items() if each.project == desired.project}
    return tuple(sorted(owned - desired.declared))


def _with_former_name(diff: EnvironmentDiff, last: Applied | None, declared: Collection[str]) -> EnvironmentDiff:
    """Return the difference; an environment is built again if a different one gets the path that its scripts name."""
    if last is None or last.built_as not in declared or diff.kind not in {DiffKind.UNCHANGED, DiffKind.RECORD}:
        return diff
    message = f"its scripts name `{last.built_as}`, which is now a different environment"
    reason = pending_reason(ReasonCode.FORMER_NAME_TAKEN, message)
    return replace(diff, kind=DiffKind.UPDATE, reasons=(*diff.reasons, reason))


def foreign_findings(actual: ActualEnvironment) -> tuple[Finding, ...]:
    """Return the findings about an occupant that envsync did not create, at the path of an environment to delete."""
    return tuple(sorted(set(actual.findings))) if actual.occupant in FOREIGN_OCCUPANTS else ()


def _undeclared_diff(actual: ActualEnvironment, last: Applied, file: str, today: str) -> EnvironmentDiff:
    """Return the deletion of an environment, and its drift if it is published, which counts if it is kept."""
    reasons = [pending_reason(ReasonCode.NOT_IN_MANIFEST, f"no longer in {in_backticks(file)}")]
    if actual.occupant is not Occupant.PUBLISHED:
        findings = foreign_findings(actual)
        if last.generation > 0 and not (actual.occupant in FOREIGN_OCCUPANTS and is_adopted_restored(last)):
            reasons.append(gone_reason(actual.occupant))
        return EnvironmentDiff(
            name=actual.name,
            kind=DiffKind.DELETE,
            reasons=tuple(reasons),
            packages=(),
            settings=(),
            findings=findings,
            ignored=(),
            complete=True,
        )
    drift = check_integrity(actual, last, today)
    changes = [each for each in drift.packages if each.action is not PackageAction.REPAIR]
    reasons += [*drift_reasons(changes), *finding_reasons(unexplained_findings(drift.findings, changes))]
    return EnvironmentDiff(
        name=actual.name,
        kind=DiffKind.DELETE,
        reasons=tuple(reasons),
        packages=drift.packages,
        settings=(),
        findings=drift.findings,
        ignored=(),
        complete=True,
    )
