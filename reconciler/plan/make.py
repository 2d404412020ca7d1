"""Decide what happens to each environment, so that apply decides nothing (docs/design.md, "Plan")."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from reconciler.diff.model import Diff, DiffKind, Fault, Target
from reconciler.diff.renames import Renames
from reconciler.diff.settings import string_list
from reconciler.diff.shared_edits import shared_edit_notes
from reconciler.manifest.desired import DesiredState
from reconciler.manifest.times import age_text, parse_age
from reconciler.observe.actual import ActualState, Occupant
from reconciler.plan.blockers import dependency_blocker, dependents_blocker, waiting_blocker
from reconciler.plan.environment import EnvironmentDraft, plan_change, plan_destroy, plan_prune, plan_unreadable
from reconciler.plan.model import Action, EnvironmentPlan, Plan, Policy
from reconciler.plan.rename import block_former_names, named_by_others, note_ineffective, plan_rename
from reconciler.plan.staging import plan_publish, reuse_staged, stage_draft
from reconciler.plan.steps import make_steps
from reconciler.plan.topology import topological_order
from reconciler.state.applied import Applied
from reconciler.state.owner import OtherOwner
from reconciler.state.staged import Staged


def make_plan(
    desired: DesiredState,
    diff: Diff,
    targets: Mapping[str, Target],
    actual: ActualState,
    applied: Mapping[str, Applied],
    policy: Policy,
    *,
    owners: Mapping[str, OtherOwner],
    faults: Mapping[str, Fault],
    staged: Mapping[str, Staged],
    renames: Renames,
) -> Plan:
    """Return the plan for every environment in `diff`, and for those that `policy.destroy` or `policy.publish` names.

    `staged` has the staged generations, by name.
    `owners` says who applied the environments that this manifest did not apply. Environments in `faults` that are not
    in `diff` are left alone: their state cannot be read. `applied` and `actual` have the environments that are renamed
    under their new names (`Renames`). Raises KeyError if `targets` or `actual` lack one of them.
    """
    drafts: dict[str, EnvironmentDraft] = {}
    for each in diff.environments:
        present = actual.environments[each.name]
        if each.kind is DiffKind.DELETE:
            drafts[each.name] = plan_prune(desired, each, present, applied[each.name], policy, owners.get(each.name))
        else:
            last = applied.get(each.name)
            target, owner = targets[each.name], owners.get(each.name)
            old = renames.pairs.get(each.name, "")
            drafts[each.name] = plan_change(desired, each, target, present, last, policy, owner, former=old)
            if old:
                drafts[each.name] = plan_rename(drafts[each.name], old, owner, policy, renames.occupied.get(each.name))
    drafts = note_ineffective(drafts, renames)
    for name in faults.keys() - drafts.keys():
        drafts[name] = plan_unreadable(desired, actual.environments[name], faults[name])
    stage = stage_draft if policy.stage else reuse_staged
    drafts = {name: stage(each, staged.get(name), desired.project) for name, each in drafts.items()}
    for name in policy.publish - faults.keys():
        last, owner = applied.get(name), owners.get(name)
        drafts[name] = plan_publish(desired, actual.environments[name], last, staged[name], policy, owner)
    for name in policy.destroy - faults.keys():
        drafts[name] = plan_destroy(desired, actual.environments[name], applied.get(name), policy, owners.get(name))
    drafts = _block_needed(block_former_names(drafts, desired, applied), desired, applied)
    predecessors = _predecessors(desired, {name: each.plan for name, each in drafts.items()}, applied)
    for name in topological_order(predecessors):
        blocked = [drafts[each].plan for each in predecessors[name] if drafts[each].plan.blocked]
        drafts[name] = _block_dependent(drafts[name], blocked)
    drafts = _block_waiting(drafts, policy)
    keep = parse_age(desired.keep_deleted)
    for name in sorted(drafts):
        if actual.environments[name].occupant is not Occupant.DANGLING and name in applied and not policy.stage:
            drafts[name] = _say_how_to_restore(drafts[name], applied[name], keep)
    plans = {name: drafts[name].plan for name in sorted(drafts)}
    for name, notes in shared_edit_notes(actual).items():
        if name in plans and (plans[name].action is not Action.NO_OP or plans[name].blocked):
            plans[name] = replace(plans[name], notes=(*plans[name].notes, *notes))
    steps = make_steps(plans, {name: drafts[name].step_kinds for name in plans}, predecessors)
    return Plan(
        project=desired.project,
        root=str(desired.root),
        manifest=desired.digest,
        locks={name: each.target.lock.digest for name, each in plans.items() if each.target and each.target.lock},
        depth=actual.depth,
        environments=tuple(replace(plans[name], steps=steps[name]) for name in plans),
    )


def _predecessors(
    desired: DesiredState, plans: Mapping[str, EnvironmentPlan], applied: Mapping[str, Applied]
) -> dict[str, tuple[str, ...]]:
    """Return, for each environment, those that must be handled first.

    For a deletion these are the deletions of its dependents, otherwise its dependencies.
    """
    deletes = {name for name, each in plans.items() if each.action is Action.DELETE}
    predecessors: dict[str, tuple[str, ...]] = dict.fromkeys(plans, ())
    for each in desired.environments:
        if each.name not in deletes:
            first = {*each.depends_on}
            if plans[each.name].action is Action.CREATE:  # their scripts name its path until they are built again
                first |= {*named_by_others(each.name, applied, desired.project)}
            predecessors[each.name] = tuple(sorted((plans.keys() & first) - deletes))
    for name in sorted(deletes):
        for dependency in deletes & set(string_list(applied[name].settings, "depends_on")):
            predecessors[dependency] = (*predecessors[dependency], name)
    return predecessors


def _block_dependent(draft: EnvironmentDraft, blocked: list[EnvironmentPlan]) -> EnvironmentDraft:
    """Return the draft, blocked if one of its predecessors is blocked; a no-op is never blocked by them."""
    if draft.plan.action is Action.NO_OP:
        return draft
    deleting = draft.plan.action is Action.DELETE
    return draft.blocked_by([dependency_blocker(each.name, each.blocked, deleting=deleting) for each in blocked])


def _block_needed(
    drafts: Mapping[str, EnvironmentDraft], desired: DesiredState, applied: Mapping[str, Applied]
) -> dict[str, EnvironmentDraft]:
    """Return the drafts; a deletion is blocked if an environment that is not deleted depends on it."""
    deletes = {name for name, each in drafts.items() if each.plan.action is Action.DELETE}
    needs = {name: string_list(each.settings, "depends_on") for name, each in applied.items()}
    needs |= {each.name: each.depends_on for each in desired.environments}  # changes come before deletions
    dependents = {
        name: sorted(other for other, needed in needs.items() if name in needed and other not in deletes)
        for name in deletes
    }
    return {
        name: each.blocked_by([dependents_blocker(name, dependents[name])] if dependents.get(name) else [])
        for name, each in drafts.items()
    }


def _block_waiting(drafts: Mapping[str, EnvironmentDraft], policy: Policy) -> dict[str, EnvironmentDraft]:
    """Return the drafts; a prune is blocked if a change is: the replacement of a deleted environment must exist first.

    A change that a hold keeps back counts as blocked.

    A blocked deletion blocks no other, because it replaces nothing. A deletion by name does not wait.
    """
    blocked = sorted(
        name
        for name, each in drafts.items()
        if each.plan.action is not Action.DELETE
        and (each.plan.blocked or (each.plan.hold and each.plan.action is not Action.NO_OP))
    )
    if not blocked:
        return dict(drafts)
    waiting = {
        name for name, each in drafts.items() if each.plan.action is Action.DELETE and not each.plan.blocked
    } - policy.destroy
    return {
        name: each.blocked_by([waiting_blocker(blocked)] if name in waiting else []) for name, each in drafts.items()
    }


def _say_how_to_restore(draft: EnvironmentDraft, applied: Applied, keep: dt.timedelta) -> EnvironmentDraft:
    """Return the draft; that of a deletion that will be made has a hint about how to undo it."""
    plan = draft.plan
    if plan.action is not Action.DELETE or plan.blocked or not applied.generation:
        return draft
    hint = f"run `envsync rollback {plan.name}` to restore it, for {age_text(keep)} after the deletion"
    if not keep:
        hint = "set `keep_deleted` in the manifest to be able to restore it after the deletion"
    return replace(draft, plan=replace(plan, hints=(*plan.hints, hint)))
