"""How one environment stands, in a word: what `check` counts and `status` lists."""

from enum import StrEnum

from reconciler.diff.model import Origin
from reconciler.plan.model import Action, EnvironmentPlan


class Standing(StrEnum):
    """Whose move it is; `both` is drift and a pending change at once."""

    OK = "ok"
    DRIFT = "drift"
    PENDING = "pending"
    BOTH = "both"
    BLOCKED = "blocked"


def standing(environment: EnvironmentPlan) -> Standing:
    """Return how an environment stands; it is `ok` exactly when `Plan.changes` leaves it out."""
    if environment.blocked:
        return Standing.BLOCKED
    if environment.action is Action.NO_OP:
        return Standing.OK
    origins = {each.origin for each in environment.reasons} | {each.origin for each in environment.packages}
    if Origin.BOTH in origins or origins >= {Origin.DRIFT, Origin.PENDING}:
        return Standing.BOTH
    return Standing.DRIFT if Origin.DRIFT in origins else Standing.PENDING
