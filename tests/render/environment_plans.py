"""The plan of one environment, a change of a package, and a reason, in few words."""

from typing import Any

from reconciler.diff.model import Origin, PackageAction, PackageChange, Reason, ReasonCode
from reconciler.plan.model import Action, EnvironmentPlan

LOCK_CHANGED = Reason(code=ReasonCode.LOCK_CHANGED, origin=Origin.PENDING, message="the lock changed")


def environment(action: Action = Action.UPDATE, *, name: str = "web", **more: Any) -> EnvironmentPlan:
    """Return the plan of an environment without changes; `more` are its other fields."""
    return EnvironmentPlan(name=name, path=f".envs/{name}", action=action, **more)


def package(name: str = "six", action: PackageAction = PackageAction.UPGRADE, **more: Any) -> PackageChange:
    """Return a pending change from 1.0 to 2.0; `more` are its other fields."""
    usual: dict[str, Any] = {
        "origin": Origin.PENDING,
        "reason": ReasonCode.LOCK_CHANGED,
        "message": "lock changed",
        "before": "1.0",
        "after": "2.0",
    }
    return PackageChange(name=name, action=action, **{**usual, **more})
