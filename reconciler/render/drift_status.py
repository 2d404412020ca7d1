"""Whether an environment has drift or pending changes: what `check` counts and `status` lists."""

from enum import StrEnum

from reconciler.diff.model import Origin
from reconciler.plan.model import Action, EnvironmentPlan


class DriftStatus(StrEnum):
    """One environment's status; `both` means drift and pending changes at the same time."""

    OK = "ok"
    DRIFT = "drift"
    PENDING = "pending"
    BOTH = "both"
    BLOCKED = "blocked"
    HELD = "held"  # and not drifted


def drift_status(environment: EnvironmentPlan) -> DriftStatus:
    """Return an environment's status; it is `ok` exactly if `Plan.changes` leaves the environment out."""
    if environment.blocked:
        return DriftStatus.BLOCKED
    origins = change_origins(environment)
    if environment.hold and origins <= {Origin.PENDING}:
        return DriftStatus.HELD
    if environment.action is Action.NO_OP:
        return DriftStatus.OK
    if Origin.BOTH in origins or origins >= {Origin.DRIFT, Origin.PENDING}:
        return DriftStatus.BOTH
    return DriftStatus.DRIFT if Origin.DRIFT in origins else DriftStatus.PENDING


def change_origins(environment: EnvironmentPlan) -> set[Origin]:
    """Return the origins of an environment's reasons and package changes."""
    return {each.origin for each in environment.reasons} | {each.origin for each in environment.packages}
