"""What a plan is about: which environments, what was last applied to them, and what they will become.

A plan destroys environments, publishes what was staged, or brings all that are selected in line with the manifest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.diff.compare import declared_or_readable, undeclared
from reconciler.diff.faults import state_faults
from reconciler.diff.model import Fault, Target
from reconciler.diff.renames import NO_RENAMES, Renames, find_renames
from reconciler.manifest.desired import DesiredState
from reconciler.plan.model import Policy
from reconciler.plan.staging import STAGE_NOTE
from reconciler.state.applied import Applied
from reconciler.state.owner import OtherOwner, other_owners, under_present_project
from reconciler.state.rename_conflict import first_conflicts
from reconciler.state.staged import Staged, staged_generations
from reconciler.state.store import State, UnreadableState
from reconciler.targets import select_for_destroy, select_staged, skipped_note


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The environments of a plan; `names` are all that are observed.

    `applied` is what was last applied to each, by the names that they have on disk. `owners` says who applied those
    that another manifest applied, `faults` why the state of others cannot be read. `staged` are their staged
    generations, and `notes` sentences about what was left out.
    """

    desired: DesiredState
    names: frozenset[str]
    applied: Mapping[str, Applied]
    owners: Mapping[str, OtherOwner]
    faults: Mapping[str, Fault]
    renames: Renames
    targets: Mapping[str, Target]
    staged: Mapping[str, Staged]
    notes: tuple[str, ...]

    @property
    def observed(self) -> DesiredState:
        """Return the desired state to observe with: it has renamed environments under their former names too."""
        return self.renames.as_former(self.desired)


def find_scope(
    state: State,
    desired: DesiredState,
    file: Path,
    policy: Policy,
    targets: Callable[[Mapping[str, Applied], Mapping[str, Fault]], Mapping[str, Target]],
) -> Scope:
    """Return what a plan for `desired` is about; `file` is how the manifest is named (`reconciler.state.owner`).

    `targets` is called for a plan of changes, with what was last applied, by the new names, and the faults. Raises
    UsageError if the policy names an environment that cannot be destroyed or published, or StateError.
    """
    readable, unreadable = state.read()
    owners = other_owners(readable, desired.project, file, desired.root)
    applied = under_present_project(readable, owners, desired.project)
    if policy.destroy:
        faults = _of(policy.destroy, state_faults(desired, unreadable, named=policy.destroy))
        kept = select_for_destroy(desired, policy.destroy, applied, faults)
        return Scope(
            desired=kept,
            names=policy.destroy,
            applied=applied,
            owners=owners,
            faults=faults,
            renames=NO_RENAMES,
            targets={},
            staged={},
            notes=(),
        )
    if policy.publish:
        staged = select_staged(state, policy.publish)
        names = frozenset(staged)
        faults = _of(names, state_faults(desired, unreadable))
        return Scope(
            desired=desired.only(staged),
            names=names,
            applied=applied,
            owners=owners,
            faults=faults,
            renames=NO_RENAMES,
            targets={},
            staged=staged,
            notes=(),
        )
    return _scope_of_changes(state, desired, policy, _Known(applied, unreadable, owners), targets)


def _of(names: frozenset[str], faults: Mapping[str, Fault]) -> dict[str, Fault]:
    """Return only the faults of `names`: a plan for some environments does not fail because of others."""
    return {name: each for name, each in faults.items() if name in names}


@dataclass(frozen=True, slots=True)
class _Known:
    """What the state says: what was last applied, what cannot be read, and who else applied something."""

    applied: Mapping[str, Applied]
    unreadable: Mapping[str, UnreadableState]
    owners: Mapping[str, OtherOwner]


def _scope_of_changes(
    state: State,
    desired: DesiredState,
    policy: Policy,
    known: _Known,
    targets: Callable[[Mapping[str, Applied], Mapping[str, Fault]], Mapping[str, Target]],
) -> Scope:
    """Return the scope of a plan that brings the selected environments in line with the manifest."""
    exists = {name for name, each in known.unreadable.items() if not each.deleted}
    renames = find_renames(desired, known.applied, exists)
    former = frozenset(renames.pairs.values())
    faults = state_faults(desired, known.unreadable, named=former)
    faults = renames.faults(faults, first_conflicts(state.layout, renames.pairs))
    applied = declared_or_readable(desired, known.applied, known.unreadable)
    renamed = renames.applied(applied)
    made = targets(renamed, faults)
    skipped = tuple(skipped_note(each) for each in desired.environments if each.name not in made)
    chosen = desired.only(made)
    names = frozenset((*made, *undeclared(chosen, renamed), *faults, *former))
    staged, problems = staged_generations(state, names)
    return Scope(
        desired=chosen,
        names=names,
        applied=applied,
        owners=renames.owners(known.owners),
        faults=faults,
        renames=renames,
        targets=made,
        staged=staged,
        notes=(*skipped, *problems, *([STAGE_NOTE] if policy.stage else [])),
    )
