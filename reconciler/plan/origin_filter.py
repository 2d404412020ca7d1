"""Filter a plan: show only drift, or only pending changes.

Changes with both origins pass both filters. A blocked reason is not a difference of its own: it is shown with the
changes of its environment that pass. Only a fault is always shown, because its environment was not completely compared.
A rollback explains pending changes: it is shown with them, never alone. So does a hold.
"""

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

from reconciler.diff.model import FAULTS, Origin, Reason, ReasonCode
from reconciler.plan.model import Action, EnvironmentPlan, Plan

_REPLACE = frozenset({ReasonCode.INTERPRETER_CHANGED, ReasonCode.SYSTEM_SITE_PACKAGES_CHANGED})


class OriginFilter(StrEnum):
    """Which differences to show."""

    DRIFT = "drift"
    PENDING = "pending"


def filter_by_origin(plan: Plan, origin: OriginFilter) -> Plan:
    """Return the plan with only the differences of one origin; it is for display and cannot be applied."""
    environments = tuple(_filter_environment(each, origin) for each in plan.environments)
    steps = {step.id for each in environments for step in each.steps}
    environments = tuple(
        replace(
            each,
            steps=tuple(replace(step, after=tuple(one for one in step.after if one in steps)) for step in each.steps),
        )
        for each in environments
    )
    return replace(plan, environments=environments, only=origin.value)


def _filter_environment(environment: EnvironmentPlan, origin: OriginFilter) -> EnvironmentPlan:
    """Return one environment's plan with the differences that pass; a no-op if none do."""
    if environment.action is Action.NO_OP and not environment.blocked:
        return replace(environment, hold=None)
    reasons = tuple(each for each in environment.reasons if _passes(each.origin, origin))
    faulty = any(each.code in FAULTS for each in environment.blocked)  # it was not completely compared
    if all(each.code is ReasonCode.ROLLED_BACK for each in reasons) and not faulty:
        return _unchanged(environment)
    drift = origin is OriginFilter.DRIFT
    has_drift = any(_passes(each.origin, OriginFilter.DRIFT) for each in environment.reasons)
    pending_hint = environment.target.hint if environment.target else ""
    return replace(
        environment,
        action=_action(environment, reasons, origin),
        reasons=reasons,
        packages=tuple(each for each in environment.packages if _passes(each.origin, origin)),
        settings=() if drift else environment.settings,
        # Without drift, the findings are about a foreign occupant where nothing was applied: they are pending.
        findings=environment.findings if drift or not has_drift else (),
        python_after=(environment.python_before if drift else "") or environment.python_after,
        hints=tuple(each for each in environment.hints if not drift or each != pending_hint),
    )


def _action(environment: EnvironmentPlan, reasons: Iterable[Reason], origin: OriginFilter) -> Action:
    """Return the action for these reasons alone.

    Drift does not replace the interpreter, and a pending change does not create an environment that is gone.
    """
    if origin is OriginFilter.DRIFT:
        return (
            Action.UPDATE
            if environment.action in {Action.REPLACE, Action.DELETE, Action.RENAME}
            else environment.action
        )
    gone = any(each.code is ReasonCode.GONE for each in environment.reasons)
    if environment.action is not Action.CREATE or not gone:
        return environment.action
    return Action.REPLACE if any(each.code in _REPLACE for each in reasons) else Action.UPDATE


def _unchanged(environment: EnvironmentPlan) -> EnvironmentPlan:
    """Return the environment as a no-op without differences, with its packages as they were applied."""
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
        hold=None,
        complete=True,
        python_after=environment.python_before,
    )


def _passes(found: Origin, origin: OriginFilter) -> bool:
    return found is Origin.BOTH or found.value == origin.value
