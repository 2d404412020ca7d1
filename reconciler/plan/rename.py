"""Plan a rename: the environment keeps its generations under a new name, whatever else changes with it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.diff.model import ReasonCode
from reconciler.diff.reasons import pending_reason
from reconciler.diff.renames import Renames
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualEnvironment
from reconciler.plan.blockers import foreign_blocker, former_name_blocker, other_manifest_blocker
from reconciler.plan.environment import EnvironmentDraft
from reconciler.plan.model import Action, Policy, StepKind
from reconciler.state.applied import Applied
from reconciler.state.owner import OtherOwner

_BEFORE = frozenset({StepKind.CARRY_OVER, StepKind.PUBLISH, StepKind.ADOPT, StepKind.RECORD, StepKind.AFTER_PUBLISH})


def plan_rename(
    draft: EnvironmentDraft,
    old: str,
    owner: OtherOwner | None,
    policy: Policy,
    occupant: ActualEnvironment | None,
) -> EnvironmentDraft:
    """Return the draft of an environment that was `old` before; `owner` is who applied that if not this manifest.

    `occupant` is what else is at the new path, None if there is nothing.
    If it is built again, that is done first: the old name stays published and owned until the new generation is ready.
    """
    plan = draft.plan
    target = plan.target
    hints = plan.hints
    notes = plan.notes
    if target is not None and target.lock is not None and target.lock.has_former_name:
        hints = (*hints, f"its lock is still in `{target.lock.path.name}`: run `envsync lock {plan.name}` to rename it")
    blockers = [foreign_blocker(occupant)] if occupant is not None else []
    if owner is not None and owner.manifest and not policy.take_over:
        blockers.append(other_manifest_blocker(old, owner))
    if plan.generation and not (plan.blocked or plan.hold or blockers):
        notes = (*notes, f"`{old}` stays as a link to `{plan.name}` while generations that were built as `{old}` exist")
    renamed = pending_reason(ReasonCode.RENAMED, f"renamed from `{old}`")
    plan = replace(
        plan, action=Action.RENAME, renamed_from=old, reasons=(renamed, *plan.reasons), hints=hints, notes=notes
    )
    kinds = () if plan.blocked or plan.hold else _with_rename(draft.step_kinds)
    return EnvironmentDraft(plan=plan, step_kinds=kinds).blocked_by(blockers)


def _with_rename(kinds: Sequence[StepKind]) -> tuple[StepKind, ...]:
    """Return the steps with the rename: after a build, before anything is published or recorded."""
    at = next((number for number, kind in enumerate(kinds) if kind in _BEFORE), len(kinds))
    if StepKind.CARRY_OVER in kinds:  # it can fail, and the old name stays then
        at = kinds.index(StepKind.CARRY_OVER) + 1
    return (*kinds[:at], StepKind.RENAME, *kinds[at:])


def note_ineffective(drafts: Mapping[str, EnvironmentDraft], renames: Renames) -> dict[str, EnvironmentDraft]:
    """Return the drafts, with a note for each environment that is not renamed because both names exist."""
    return {
        name: replace(
            each,
            plan=replace(
                each.plan,
                notes=(
                    *each.plan.notes,
                    f"`renamed_from: {renames.ineffective[name]}` has no effect, because both environments exist",
                ),
            ),
        )
        if name in renames.ineffective
        else each
        for name, each in drafts.items()
    }


def named_by_others(name: str, applied: Mapping[str, Applied], project: str) -> tuple[str, ...]:
    """Return the environments that were built as `name` and renamed since: their scripts name its path, sorted."""
    return tuple(sorted(other for other, each in applied.items() if (each.built_as, each.project) == (name, project)))


def block_former_names(
    drafts: Mapping[str, EnvironmentDraft], desired: DesiredState, applied: Mapping[str, Applied]
) -> dict[str, EnvironmentDraft]:
    """Return the drafts; a new environment is blocked if one outside the selection still uses its name and path."""
    found = dict(drafts)
    for name, each in drafts.items():
        if each.plan.action is Action.CREATE:
            others = [other for other in named_by_others(name, applied, desired.project) if other not in drafts]
            found[name] = each.blocked_by([former_name_blocker(name, others)] if others else [])
    return found
