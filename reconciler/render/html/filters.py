"""What the page filters by: what happens to an environment, and whether it has drift or pending changes."""

from reconciler.diff.model import Origin
from reconciler.plan.model import EnvironmentPlan
from reconciler.render.drift_status import change_origins
from reconciler.render.environment_text import ACTION_SYMBOLS, HELD, environment_label
from reconciler.render.html.markup import Markup, element

# In the order of the summary line.
SUMMARY_KINDS = ("create", "update", "replace", "delete", "adopt", "rename", "blocked", "held", "unchanged")
KIND_TITLES = {"blocked": "blocked", "held": "held", "unchanged": "unchanged"} | {
    each: f"to {each}" for each in SUMMARY_KINDS[:6]
}
FILTER_ORIGINS = (Origin.DRIFT, Origin.PENDING)


def filter_origins(environment: EnvironmentPlan) -> tuple[Origin, ...]:
    """Return which of drift and pending changes an environment has."""
    origins = change_origins(environment)
    return tuple(each for each in FILTER_ORIGINS if origins & {each, Origin.BOTH})


def change_count(environment: EnvironmentPlan, origin: Origin) -> int:
    """Return the number of package and setting changes of one origin; at least 1 if there is a reason of it."""
    packages = sum(each.origin in {origin, Origin.BOTH} for each in environment.packages)
    settings = len(environment.settings) if origin is Origin.PENDING else 0
    return max(packages + settings, int(origin in filter_origins(environment)))


def action_badge(environment: EnvironmentPlan) -> Markup:
    """Return what happens to an environment as a symbol and a word, so that the color is not needed."""
    kind = environment_label(environment)
    symbol = {"blocked": "x", "held": HELD[0]}.get(kind, ACTION_SYMBOLS[environment.action][0])
    return element(
        "span", element("span", symbol, class_="sign", aria_hidden="true"), " ", kind, class_=f"badge {kind}"
    )


def filter_attributes(environment: EnvironmentPlan) -> dict[str, str]:
    """Return the attributes that the page's script filters by."""
    return {
        "data_name": environment.name,
        "data_kind": environment_label(environment),
        "data_origins": " ".join(filter_origins(environment)),
    }
