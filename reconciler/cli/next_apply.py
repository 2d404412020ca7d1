"""Plans what the next `apply` does with an environment that `rollback` or `release` changed."""

from dataclasses import replace

from reconciler.options import PlanOptions, Selection
from reconciler.plan.model import EnvironmentPlan, Plan
from reconciler.reconcile import Workspace


def plan_next_apply(workspace: Workspace, name: str) -> Plan:
    """Return the plan of one environment; nothing is resolved, and the network is not used. Raises EnvsyncError."""
    declared = name in workspace.declared.declared
    chosen = Selection(names=(name,)) if declared else Selection()
    made = workspace.plan(chosen, PlanOptions(resolve=False, offline=True)).plan
    return replace(made, environments=tuple(each for each in made.environments if each.name == name))


def only_environment(plan: Plan | None) -> EnvironmentPlan | None:
    """Return the environment of the plan of one environment, None if the plan is not known or empty."""
    return plan.environments[0] if plan is not None and plan.environments else None
