"""Diff and policy to Plan: every decision is made here, so that apply makes none (design, section 7)."""

from collections.abc import Mapping
from dataclasses import replace

from reconciler.diff.model import Diff, Presence, Target
from reconciler.diff.settings import names_in
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualState
from reconciler.plan.draft import Draft, changed, destroyed, retired
from reconciler.plan.model import Action, EnvironmentPlan, Plan, Policy
from reconciler.plan.obstacles import dependency_obstacle
from reconciler.plan.steps import chained
from reconciler.plan.topology import waves
from reconciler.state.applied import Applied


def make_plan(
    desired: DesiredState,
    diff: Diff,
    targets: Mapping[str, Target],
    actual: ActualState,
    applied: Mapping[str, Applied],
    policy: Policy,
) -> Plan:
    """Decide what happens to every environment of `diff`, and to those that `policy.destroy` names besides.

    Raises KeyError where `targets` or `actual` lack one of them.
    """
    drafts: dict[str, Draft] = {}
    for each in diff.environments:
        stands = actual.environments[each.name]
        if each.presence is Presence.DELETE:
            drafts[each.name] = retired(desired, each, stands, applied[each.name], policy)
        else:
            last = applied.get(each.name)
            drafts[each.name] = changed(desired, each, targets[each.name], stands, last, policy)
    for name in policy.destroy:
        drafts[name] = destroyed(desired, actual.environments[name], applied.get(name), policy)
    needs = _needs(desired, {name: each.plan for name, each in drafts.items()}, applied)
    for name in (name for wave in waves(needs) for name in wave):
        drafts[name] = _held_back(
            drafts[name], [drafts[each].plan for each in needs[name] if drafts[each].plan.blocked]
        )
    plans = {name: drafts[name].plan for name in sorted(drafts)}
    steps = chained(plans, {name: drafts[name].kinds for name in plans}, needs)
    return Plan(
        project=desired.project,
        root=str(desired.root),
        manifest=desired.digest,
        locks={name: each.target.lock.digest for name, each in plans.items() if each.target and each.target.lock},
        depth=actual.depth,
        environments=tuple(replace(plans[name], steps=steps[name]) for name in plans),
    )


def _needs(
    desired: DesiredState, plans: Mapping[str, EnvironmentPlan], applied: Mapping[str, Applied]
) -> dict[str, tuple[str, ...]]:
    """Return what each environment comes after: its dependencies, or for a delete the deletes of its dependents."""
    deletes = {name for name, each in plans.items() if each.action is Action.DELETE}
    needs: dict[str, tuple[str, ...]] = dict.fromkeys(plans, ())
    for each in desired.environments:
        if each.name not in deletes:
            needs[each.name] = tuple(sorted((plans.keys() & set(each.depends_on)) - deletes))
    for name in sorted(deletes):
        for dependency in deletes & set(names_in(applied[name].settings, "depends_on")):
            needs[dependency] = (*needs[dependency], name)
    return needs


def _held_back(draft: Draft, blocked: list[EnvironmentPlan]) -> Draft:
    """Return the draft, blocked where something that it comes after is; what does not change is not held back."""
    if draft.plan.action is Action.NO_OP:
        return draft
    deleting = draft.plan.action is Action.DELETE
    return draft.hindered([dependency_obstacle(each.name, each.blocked, deleting=deleting) for each in blocked])
