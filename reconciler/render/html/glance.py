"""Environments at a glance: the counts, a row for each that changes, and those that do not in a folded list."""

from collections.abc import Mapping

from reconciler.diff.model import Origin
from reconciler.events import EnvironmentFinished
from reconciler.plan.model import EnvironmentPlan, Plan
from reconciler.render.html.kinds import HANDS, KINDS, TITLES, badge, filtered, hands, kind, weight
from reconciler.render.html.markup import Child, Markup, element
from reconciler.render.html.tables import arrow, row, table

_TITLES = ("Environment", "Action", "Drift", "Pending", "Findings", "Python", "Packages", "Generation")


def counts(plan: Plan) -> Markup:
    """Return how many environments there are of each kind; the page's script makes each a filter."""
    summary = plan.summary
    of_kind = [
        _count(getattr(summary, each), TITLES[each], each, data_filter_kind=each)
        for each in KINDS
        if getattr(summary, each)
    ]
    of_hand = [
        _count(number, _HAND_TITLES[each], each.value, data_filter_hand=each.value)
        for each in HANDS
        if (number := sum(each in hands(environment) for environment in plan.environments))
    ]
    return element("ul", of_kind, of_hand, class_="counts", aria_label="Environments by what happens to them")


_HAND_TITLES = {Origin.DRIFT: "with drift", Origin.PENDING: "with pending changes"}


def changed_table(numbers: Mapping[str, int], plan: Plan, ended: Mapping[str, EnvironmentFinished]) -> Markup | None:
    """Return a row for each environment that changes, which leads to its section; `numbers` are the sections'."""
    if not plan.changes:
        return None
    rows = [
        row(
            element("a", each.name, href=f"#e{numbers[each.name]}"),
            badge(each),
            *(weight(each, hand) or "" for hand in HANDS),
            len(each.findings) or "",
            arrow(each.python_before, each.python_after),
            each.package_count if each.complete else "unknown",
            each.generation or "",
            *([_ending(ended.get(each.name))] if ended else []),
            **filtered(each),
        )
        for each in plan.changes
    ]
    titles = (*_TITLES, "Result") if ended else _TITLES
    return table("Environments that change", titles, rows, class_="glance")


def unchanged_list(plan: Plan) -> Markup | None:
    """Return the environments that stay as they are: a row each, and no more."""
    same = [each for each in plan.environments if kind(each) == "unchanged"]
    if not same:
        return None
    rows = [_same(each) for each in same]
    title = f"{len(same)} unchanged"
    return element(
        "details",
        element("summary", title),
        table("Environments that stay as they are", ("Environment", "Python", "Packages", "Generation"), rows),
        [element("p", element("strong", "hint: "), hint, class_="note") for each in same for hint in each.hints],
        id="unchanged",
        open=not plan.changes,
    )


def _same(environment: EnvironmentPlan) -> Markup:
    return row(
        environment.name,
        environment.python_after or environment.python_before,
        environment.package_count or "",
        environment.generation or "",
        **filtered(environment),
    )


def _count(number: int, words: str, class_: str, **filters: str) -> Markup:
    return element("li", element("strong", number), " ", words, class_=f"count {class_}", **filters)


def _ending(ended: EnvironmentFinished | None) -> Child:
    return element("span", ended.status.value, class_=f"badge ended {ended.status.value}") if ended else ""
