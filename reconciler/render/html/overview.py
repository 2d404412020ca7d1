"""The page's overview: the counts, a row for each environment that changes, and the unchanged ones in a folded list."""

from collections.abc import Mapping

from reconciler.diff.model import Origin
from reconciler.events import EnvironmentFinished
from reconciler.plan.model import EnvironmentPlan, Plan
from reconciler.render.environment_text import environment_label
from reconciler.render.html.changes import remark
from reconciler.render.html.filters import (
    FILTER_ORIGINS,
    KIND_TITLES,
    SUMMARY_KINDS,
    action_badge,
    change_count,
    filter_attributes,
    filter_origins,
)
from reconciler.render.html.markup import Child, Markup, element
from reconciler.render.html.tables import arrow, row, table

_TITLES = ("Environment", "Action", "Drift", "Pending", "Findings", "Python", "Packages", "Generation")
_ORIGIN_TITLES = {Origin.DRIFT: "with drift", Origin.PENDING: "with pending changes"}


def summary_counts(plan: Plan) -> Markup:
    """Return how many environments there are of each kind and origin; the page's script turns each into a filter."""
    summary = plan.summary
    kinds = [
        _count(getattr(summary, each), KIND_TITLES[each], each, data_filter_kind=each)
        for each in SUMMARY_KINDS
        if getattr(summary, each)
    ]
    origins = [
        _count(number, _ORIGIN_TITLES[each], each.value, data_filter_origin=each.value)
        for each in FILTER_ORIGINS
        if (number := sum(each in filter_origins(environment) for environment in plan.environments))
    ]
    return element("ul", kinds, origins, class_="counts", aria_label="Environments by action and origin")


def changed_table(numbers: Mapping[str, int], plan: Plan, finished: Mapping[str, EnvironmentFinished]) -> Markup | None:
    """Return a row for each environment that changes, with a link to its section; `numbers` are the sections' ids."""
    if not plan.changes:
        return None
    rows = [
        row(
            element("a", each.name, href=f"#e{numbers[each.name]}"),
            action_badge(each),
            *(change_count(each, origin) or "" for origin in FILTER_ORIGINS),
            len(each.findings) or "",
            arrow(each.python_before, each.python_after),
            each.package_count if each.complete else "unknown",
            each.generation or "",
            *([_result(finished.get(each.name))] if finished else []),
            **filter_attributes(each),
        )
        for each in plan.changes
    ]
    titles = (*_TITLES, "Result") if finished else _TITLES
    return table("Environments with changes", titles, rows, class_="overview")


def unchanged_table(plan: Plan) -> Markup | None:
    """Return a row for each unchanged environment, in a list that is folded if anything changes."""
    unchanged = [each for each in plan.environments if environment_label(each) == "unchanged"]
    if not unchanged:
        return None
    rows = [_unchanged(each) for each in unchanged]
    return element(
        "details",
        element("summary", f"{len(unchanged)} unchanged"),
        table("Unchanged environments", ("Environment", "Python", "Packages", "Generation"), rows),
        [remark("note", note, environment=each.name) for each in unchanged for note in each.notes],
        [remark("hint", hint, environment=each.name) for each in unchanged for hint in each.hints],
        id="unchanged",
        open=not plan.changes,
    )


def _unchanged(environment: EnvironmentPlan) -> Markup:
    return row(
        environment.name,
        environment.python_after or environment.python_before,
        environment.package_count or "",
        environment.generation or "",
        **filter_attributes(environment),
    )


def _count(number: int, words: str, class_: str, **filters: str) -> Markup:
    return element("li", element("strong", number), " ", words, class_=f"count {class_}", **filters)


def _result(finished: EnvironmentFinished | None) -> Child:
    if finished is None:
        return ""
    return element("span", finished.status.value, class_=f"badge ended {finished.status.value}")
