"""Decide what happens to each environment, so that apply decides nothing (docs/design.md, "Plan")."""

from collections.abc import Mapping
from dataclasses import replace

from reconciler.diff.model import NO_FAULTS, Diff, DiffKind, Fault, Target
from reconciler.diff.settings import string_list
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualState
from reconciler.plan.blockers import dependency_blocker
from reconciler.plan.environment import EnvironmentDraft, plan_change, plan_destroy, plan_prune, plan_unreadable
from reconciler.plan.model import Action, EnvironmentPlan, Plan, Policy
from reconciler.plan.steps import make_steps
from reconciler.plan.topology import topological_order
from reconciler.state.applied import Applied


def make_plan(
    desired: DesiredState,
    diff: Diff,
    targets: Mapping[str, Target],
    actual: ActualState,
    applied: Mapping[str, Applied],
    policy: Policy,
    faults: Mapping[str, Fault] = NO_FAULTS,
) -> Plan:
    """Return the plan for every environment in `diff`, and for those that `policy.destroy` names.

    Environments in `faults` that are not in `diff` are left alone: their state cannot be read. Raises KeyError if
    `targets` or `actual` lack one of them.
    """
    drafts: dict[str, EnvironmentDraft] = {}
    for each in diff.environments:
        present = actual.environments[each.name]
        if each.kind is DiffKind.DELETE:
            drafts[each.name] = plan_prune(desired, each, present, applied[each.name], policy)
        else:
            last = applied.get(each.name)
            drafts[each.name] = plan_change(desired, each, targets[each.name], present, last, policy)
    for name in faults.keys() - drafts.keys():
        drafts[name] = plan_unreadable(desired, actual.environments[name], faults[name])
    for name in policy.destroy - faults.keys():
        drafts[name] = plan_destroy(desired, actual.environments[name], applied.get(name), policy)
    predecessors = _predecessors(desired, {name: each.plan for name, each in drafts.items()}, applied)
    for name in topological_order(predecessors):
        blocked = [drafts[each].plan for each in predecessors[name] if drafts[each].plan.blocked]
        drafts[name] = _block_dependent(drafts[name], blocked)
    plans = {name: drafts[name].plan for name in sorted(drafts)}
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
            predecessors[each.name] = tuple(sorted((plans.keys() & set(each.depends_on)) - deletes))
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
