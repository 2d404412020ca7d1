"""One environment's section: what happens and why, its problems, its dependency graph, and facts about it."""

from reconciler.diff.model import Origin
from reconciler.events import EnvironmentFinished
from reconciler.plan.model import Action, EnvironmentPlan
from reconciler.render.environment_text import failure_is_described
from reconciler.render.hold_text import hold_text
from reconciler.render.html.changes import change_sections, failure_note, findings_section, reason_list, remark
from reconciler.render.html.filters import FILTER_ORIGINS, action_badge, change_count, filter_attributes
from reconciler.render.html.graph import graph_section
from reconciler.render.html.markup import Child, Markup, element
from reconciler.render.html.tables import arrow
from reconciler.render.phrases import count
from reconciler.render.report import Report

_ORIGIN_WORDS = {Origin.DRIFT: "drifted", Origin.PENDING: "pending"}


def environment_section(
    environment: EnvironmentPlan, report: Report, *, number: int, finished: EnvironmentFinished | None
) -> Markup:
    """Return the section of an environment that changes; `finished` is how an apply ended for it."""
    graph = report.graphs.get(environment.name)
    return element(
        "section",
        element(
            "details",
            element(
                "summary",
                element("h3", environment.name),
                action_badge(environment),
                element("span", _counts(environment), class_="faint"),
                element("span", finished.status.value, class_=f"badge ended {finished.status.value}")
                if finished
                else None,
            ),
            element(
                "div",
                _blocked(environment),
                _held(environment),
                _failure(environment, finished),
                element("div", list(change_sections(environment)), class_="origins"),
                findings_section(environment.findings),
                [remark("note", each) for each in environment.notes],
                [remark("hint", each) for each in environment.hints],
                graph_section(environment, graph, number=number) if graph else None,
                _facts(environment, report),
                class_="body",
            ),
            open=True,
        ),
        class_="environment",
        id=f"e{number}",
        aria_label=environment.name,
        **filter_attributes(environment),
    )


def _counts(environment: EnvironmentPlan) -> str:
    """Return the number of changes and findings: `1 drifted, 3 pending, 2 findings`."""
    numbers = [(change_count(environment, origin), _ORIGIN_WORDS[origin]) for origin in FILTER_ORIGINS]
    parts = [f"{number} {word}" for number, word in numbers if number]
    return ", ".join([*parts, *([count(len(environment.findings), "finding")] if environment.findings else [])])


def _blocked(environment: EnvironmentPlan) -> Markup | None:
    if not environment.blocked:
        return None
    text = "blocked" if environment.action is Action.NO_OP else f"blocked: would {environment.action.value}"
    return element("div", element("p", element("strong", text)), reason_list(environment.blocked), class_="note bad")


def _failure(environment: EnvironmentPlan, finished: EnvironmentFinished | None) -> Markup | None:
    """Return why a lock or an apply failed, without the message if it is among the reasons why it is blocked."""
    failure = finished.failure if finished is not None else environment.failure
    if failure is None:
        return None
    title = finished.status.value if finished is not None else "lock failed"
    return failure_note(title, failure, described=failure_is_described(environment, finished))


def _held(environment: EnvironmentPlan) -> Markup | None:
    if not environment.hold:
        return None
    changes = environment.action is not Action.NO_OP and not environment.blocked
    text = f"held: would {environment.action.value}" if changes else "held"
    return element("div", element("p", element("strong", f"{text}: "), hold_text(environment.hold)), class_="note")


def _facts(environment: EnvironmentPlan, report: Report) -> Markup:
    facts: list[tuple[str, Child]] = [
        ("path", environment.path),
        ("declared at", report.places.get(environment.name, "")),
        ("python", arrow(environment.python_before, environment.python_after)),
        ("packages", environment.package_count if environment.complete else "unknown until locked or built"),
        ("published generation", environment.generation or "none"),
    ]
    return element("dl", [element("div", element("dt", name), element("dd", value)) for name, value in facts if value])
