"""The whole page: head, counts, the glance, a section an environment, history; its style and script by their hashes."""

import base64
import hashlib
from importlib.resources import files

from reconciler.render.html.changes import failure_note
from reconciler.render.html.environment import environment_section
from reconciler.render.html.glance import changed_table, counts, unchanged_list
from reconciler.render.html.markup import Child, Markup, element
from reconciler.render.html.runs import runs_section
from reconciler.render.report import Report
from reconciler.render.summary_line import summary_line


def html(report: Report) -> str:
    """Return a report as one HTML file that fetches nothing; the same report is the same bytes, in ASCII."""
    page = element("html", _head(report), _body(report), lang="en")
    written = f"<!DOCTYPE html>\n{page.text}\n"
    return written.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _head(report: Report) -> Markup:
    style, script = _own("style.css"), _own("script.js")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", _title(report)),
        element("style", Markup(style)),
        element("script", Markup(script), type="module"),
    )


def _body(report: Report) -> Markup:
    plan = report.plan
    ended = {each.environment: each for each in report.result.environments} if report.result else {}
    numbers = {each.name: number for number, each in enumerate(plan.changes, start=1)}
    sections = [
        environment_section(each, report, number=number, ended=ended.get(each.name))
        for number, each in enumerate(plan.changes, start=1)
    ]
    return element(
        "body",
        element("a", "Skip to the environments", href="#environments", class_="skip"),
        element("header", element("h1", _title(report)), _facts(report), _verdict(report), class_="page"),
        element(
            "main",
            element(
                "section",
                element("h2", "Environments", id="environments", tabindex=-1),
                counts(plan),
                _controls(),
                changed_table(numbers, plan, ended),
                unchanged_list(plan),
                aria_labelledby="environments",
            ),
            element("section", element("h2", "Changes", id="changes"), sections, aria_labelledby="changes")
            if sections
            else None,
            runs_section(report.runs),
        ),
        element("footer", element("p", "Made by envsync. This page is one file; it loads and sends nothing.")),
    )


def _title(report: Report) -> str:
    return f"envsync {report.command}: {report.plan.project}"


def _facts(report: Report) -> Markup:
    plan = report.plan
    facts: list[tuple[str, Child]] = [
        ("project", plan.project),
        ("manifest", report.file),
        ("root", plan.root),
        ("depth", plan.depth.value),
        ("plan", element("code", plan.id)),
    ]
    return element("dl", [element("div", element("dt", name), element("dd", value)) for name, value in facts])


def _verdict(report: Report) -> list[Markup]:
    """Return how it stands, in the sentence that the text output ends with, and what no environment's section tells."""
    said = [element("p", summary_line(report), class_="verdict")]
    if not report.plan.complete:
        said.append(element("p", "Not every package is known: a lock is missing or out of date.", class_="note"))
    if report.result is not None and report.result.failure is not None:
        said.append(failure_note("garbage collection", report.result.failure))
    return said


def _controls() -> Markup:
    """Return the controls, hidden until the script has seen to it that they work."""
    return element(
        "div",
        element("label", "Filter by name ", element("input", type="search", id="name", autocomplete="off")),
        element("button", "Show all", type="button", id="all"),
        element("button", "Fold", type="button", id="fold"),
        element("button", "Unfold", type="button", id="unfold"),
        element("p", role="status", aria_live="polite", id="shown"),
        class_="controls",
        id="controls",
        role="search",
        aria_label="Filter environments",
        hidden=True,
    )


def _own(name: str) -> str:
    """Return a file that stands beside this module."""
    return files("reconciler.render.html").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
