"""Desired, last applied and actual state to the difference between them; before any policy (design, section 7)."""

from collections.abc import Mapping

from reconciler.diff.environment import environment_diff
from reconciler.diff.model import Diff, EnvironmentDiff, Presence, ReasonCode, Target
from reconciler.diff.reasons import pending
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualEnvironment, ActualState, Finding, Occupant
from reconciler.state.applied import Applied

FOREIGN = frozenset({Occupant.DIRECTORY, Occupant.VENV, Occupant.SYMLINK, Occupant.OTHER})


def compare(
    desired: DesiredState, targets: Mapping[str, Target], actual: ActualState, applied: Mapping[str, Applied]
) -> Diff:
    """Compare every selected environment and, without a selection, those we own that the manifest no longer names.

    Raises KeyError where `targets` or `actual` lack one of them: what was not looked at must not count as unchanged.
    """
    file = desired.file.name
    found = [
        environment_diff(
            targets[each.name],
            actual.environments[each.name],
            applied.get(each.name),
            project=desired.project,
            file=file,
        )
        for each in desired.environments
    ]
    found += [_retired(actual.environments[name], file) for name in retired(desired, applied)]
    return Diff(environments=tuple(sorted(found, key=lambda each: each.name)))


def retired(desired: DesiredState, applied: Mapping[str, Applied]) -> tuple[str, ...]:
    """Return the names that this project owns and its manifest no longer declares, sorted; none under a selection."""
    if desired.selected:
        return ()
    owned = {name for name, each in applied.items() if each.project == desired.project}
    return tuple(sorted(owned - desired.declared))


def foreign_findings(actual: ActualEnvironment) -> tuple[Finding, ...]:
    """Return what is known of a thing that is not ours and stands where an environment is to be deleted."""
    return tuple(sorted(set(actual.findings))) if actual.occupant in FOREIGN else ()


def _retired(actual: ActualEnvironment, file: str) -> EnvironmentDiff:
    return EnvironmentDiff(
        name=actual.name,
        presence=Presence.DELETE,
        reasons=(pending(ReasonCode.NOT_IN_MANIFEST, f"no longer in {file}"),),
        findings=foreign_findings(actual),
    )
