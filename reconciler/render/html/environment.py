"""One environment's section: what happens, why, and what it is made of."""

from reconciler.events import EnvironmentFinished
from reconciler.plan.model import EnvironmentPlan
from reconciler.render.html.changes import change_sections, failure_note, findings_section, reason_list
from reconciler.render.html.graph import graph_section
from reconciler.render.html.kinds import HANDS, badge, filtered, weight
from reconciler.render.html.markup import Child, Markup, element
from reconciler.render.html.tables import arrow
from reconciler.render.report import Report


def environment_section(
    environment: EnvironmentPlan, report: Report, *, number: int, ended: EnvironmentFinished | None
) -> Markup:
    """Return the section of an environment that changes; `ended` is what an apply made of it."""
    graph = report.graphs.get(environment.name)
    return element(
        "section",
        element(
            "details",
            element(
                "summary",
                element("h3", environment.name),
                badge(environment),
                element("span", _short(environment), class_="faint"),
                element("span", ended.status.value, class_=f"badge ended {ended.status.value}") if ended else None,
            ),
            element(
                "div",
                _blocked(environment),
                failure_note("no lock", environment.failure) if environment.failure else None,
                failure_note(ended.status.value, ended.failure) if ended and ended.failure else None,
                element("div", list(change_sections(environment)), class_="hands"),
                findings_section(environment.findings),
                [element("p", element("strong", "hint: "), each, class_="note") for each in environment.hints],
                graph_section(environment, graph, number=number) if graph else None,
                _facts(environment, report),
                class_="body",
            ),
            open=True,
        ),
        class_="environment",
        id=f"e{number}",
        aria_label=environment.name,
        **filtered(environment),
    )


def _short(environment: EnvironmentPlan) -> str:
    counts = [(weight(environment, hand), hand.value) for hand in HANDS]
    said = [f"{count} {word}" for count, word in counts if count]
    return ", ".join([*said, *([f"{len(environment.findings)} findings"] if environment.findings else [])])


def _blocked(environment: EnvironmentPlan) -> Markup | None:
    if not environment.blocked:
        return None
    would = f"blocked: {environment.action} is not done"
    return element("div", element("p", element("strong", would)), reason_list(environment.blocked), class_="note bad")


def _facts(environment: EnvironmentPlan, report: Report) -> Markup:
    facts: list[tuple[str, Child]] = [
        ("path", environment.path),
        ("declared at", report.places.get(environment.name, "")),
        ("python", arrow(environment.python_before, environment.python_after)),
        ("packages", environment.package_count if environment.complete else "unknown until locked or built"),
        ("published generation", environment.generation or "none"),
    ]
    return element("dl", [element("div", element("dt", name), element("dd", value)) for name, value in facts if value])
