"""What the page filters by: what happens to an environment, and whose hand it was."""

from reconciler.diff.model import Origin
from reconciler.plan.model import Action, EnvironmentPlan
from reconciler.render.environment_text import SYMBOLS
from reconciler.render.html.markup import Markup, element

# In the order of the summary line.
KINDS = ("create", "update", "replace", "delete", "adopt", "blocked", "unchanged")
TITLES = {"blocked": "blocked", "unchanged": "unchanged"} | {each: f"to {each}" for each in KINDS[:5]}
HANDS = (Origin.DRIFT, Origin.PENDING)


def kind(environment: EnvironmentPlan) -> str:
    """Return the count of the summary that an environment is in."""
    if environment.blocked:
        return "blocked"
    return "unchanged" if environment.action is Action.NO_OP else environment.action.value


def hands(environment: EnvironmentPlan) -> tuple[Origin, ...]:
    """Return which of drift and pending an environment has."""
    origins = {each.origin for each in environment.reasons} | {each.origin for each in environment.packages}
    return tuple(each for each in HANDS if origins & {each, Origin.BOTH})


def weight(environment: EnvironmentPlan, hand: Origin) -> int:
    """Return how many changes are of one hand: packages, and settings for pending; at least one where there is any."""
    packages = sum(each.origin in {hand, Origin.BOTH} for each in environment.packages)
    settings = len(environment.settings) if hand is Origin.PENDING else 0
    return max(packages + settings, int(hand in hands(environment)))


def badge(environment: EnvironmentPlan) -> Markup:
    """Return what happens to an environment as a sign and a word, so that no colour is needed."""
    what = kind(environment)
    sign = "x" if what == "blocked" else SYMBOLS[environment.action][0]
    return element("span", element("span", sign, class_="sign", aria_hidden="true"), " ", what, class_=f"badge {what}")


def filtered(environment: EnvironmentPlan) -> dict[str, str]:
    """Return the attributes that the page's script filters by."""
    return {
        "data_name": environment.name,
        "data_kind": kind(environment),
        "data_hands": " ".join(hands(environment)),
    }
