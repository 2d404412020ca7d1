"""Compare desired, last applied and actual state, before any policy (docs/design.md, "Plan")."""

from collections.abc import Iterable, Mapping

from reconciler.diff.environment import environment_diff
from reconciler.diff.model import Diff, DiffKind, EnvironmentDiff, ReasonCode, Target
from reconciler.diff.reasons import pending_reason
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualEnvironment, ActualState, Finding, Occupant
from reconciler.state.applied import Applied

FOREIGN_OCCUPANTS = frozenset({Occupant.DIRECTORY, Occupant.VENV, Occupant.SYMLINK, Occupant.OTHER})


def compare(
    desired: DesiredState,
    targets: Mapping[str, Target],
    actual: ActualState,
    applied: Mapping[str, Applied],
    exceptions: Iterable[tuple[str, str]] = (),
) -> Diff:
    """Compare every selected environment and, without a selection, the project's environments that are undeclared now.

    `exceptions` are pairs of an environment and a pattern whose differences do not count in it.
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
        )
        for each in desired.environments
    ]
    found += [_undeclared_diff(actual.environments[name], file) for name in undeclared(desired, applied)]
    return Diff(environments=tuple(sorted(found, key=lambda each: each.name)))


def undeclared(desired: DesiredState, applied: Mapping[str, Applied]) -> tuple[str, ...]:
    """Return the names that this project owns and no longer declares, sorted; none under a selection."""
    if desired.selected:
        return ()
    owned = {name for name, each in applied.items() if each.project == desired.project}
    return tuple(sorted(owned - desired.declared))


def foreign_findings(actual: ActualEnvironment) -> tuple[Finding, ...]:
    """Return the findings about an occupant that envsync did not create, at the path of an environment to delete."""
    return tuple(sorted(set(actual.findings))) if actual.occupant in FOREIGN_OCCUPANTS else ()


def _undeclared_diff(actual: ActualEnvironment, file: str) -> EnvironmentDiff:
    return EnvironmentDiff(
        name=actual.name,
        kind=DiffKind.DELETE,
        reasons=(pending_reason(ReasonCode.NOT_IN_MANIFEST, f"no longer in {file}"),),
        findings=foreign_findings(actual),
    )
