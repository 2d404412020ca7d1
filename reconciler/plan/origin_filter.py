"""A plan narrowed to one side: what somebody's hand did (drift), or what manifest and locks ask for (pending).

What has both origins is on both sides. An obstacle is no difference of its own: it is told with whatever is left that
it stands in the way of. A rollback is an explanation: it goes with pending changes, and alone is none.
"""

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

from reconciler.diff.model import Origin, Reason, ReasonCode
from reconciler.plan.model import Action, EnvironmentPlan, Plan

_BASE = frozenset({ReasonCode.INTERPRETER_CHANGED, ReasonCode.SYSTEM_SITE_PACKAGES_CHANGED})


class Side(StrEnum):
    """Which of the differences to tell."""

    DRIFT = "drift"
    PENDING = "pending"


def narrowed(plan: Plan, side: Side) -> Plan:
    """Return the plan with the differences of one side alone; it tells, and is not to be applied."""
    environments = tuple(_narrowed(each, side) for each in plan.environments)
    steps = {step.id for each in environments for step in each.steps}
    environments = tuple(
        replace(
            each,
            steps=tuple(replace(step, after=tuple(one for one in step.after if one in steps)) for step in each.steps),
        )
        for each in environments
    )
    return replace(plan, environments=environments, only=side.value)


def _narrowed(environment: EnvironmentPlan, side: Side) -> EnvironmentPlan:
    """Return one environment's part; where nothing is left it is a no-op."""
    if environment.action is Action.NO_OP and not environment.blocked:
        return environment
    reasons = tuple(each for each in environment.reasons if _is_of(each.origin, side))
    if all(each.code is ReasonCode.ROLLED_BACK for each in reasons):
        return _unchanged(environment)
    drift = side is Side.DRIFT
    by_hand = any(_is_of(each.origin, Side.DRIFT) for each in environment.reasons)
    target = environment.target.hint if environment.target else ""
    return replace(
        environment,
        action=_action(environment, reasons, side),
        reasons=reasons,
        packages=tuple(each for each in environment.packages if _is_of(each.origin, side)),
        settings=() if drift else environment.settings,
        findings=environment.findings
        if drift or not by_hand
        else (),  # what stands where nothing was applied is no drift
        python_after=(environment.python_before if drift else "") or environment.python_after,
        hints=tuple(each for each in environment.hints if not drift or each != target),
    )


def _action(environment: EnvironmentPlan, reasons: Iterable[Reason], side: Side) -> Action:
    """Return what these reasons alone would make of it: drift replaces no interpreter, a lock creates nothing anew."""
    if side is Side.DRIFT:
        return Action.UPDATE if environment.action is Action.REPLACE else environment.action
    gone = any(each.code is ReasonCode.GONE for each in environment.reasons)
    if environment.action is not Action.CREATE or not gone:
        return environment.action
    return Action.REPLACE if any(each.code in _BASE for each in reasons) else Action.UPDATE


def _unchanged(environment: EnvironmentPlan) -> EnvironmentPlan:
    """Return the environment as one of which nothing is to be told; its packages are then as they were applied."""
    return replace(
        environment,
        action=Action.NO_OP,
        reasons=(),
        blocked=(),
        packages=(),
        settings=(),
        findings=(),
        steps=(),
        hints=(),
        failure=None,
        complete=True,
        python_after=environment.python_before,
    )


def _is_of(origin: Origin, side: Side) -> bool:
    return origin is Origin.BOTH or origin.value == side.value
