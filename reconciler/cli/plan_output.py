"""Prints a plan in the requested format: text, JSON, or one of the reports."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from reconciler.cli.console import console, shown_root
from reconciler.manifest.desired import DesiredState
from reconciler.plan.model import Plan
from reconciler.render.formats import Format, render_report
from reconciler.render.notes import notes_text
from reconciler.render.plan_text import render_check, render_plan
from reconciler.render.report import Command, Report

_TEXT: Mapping[Command, Callable[..., str]] = {"plan": render_plan, "check": render_check, "apply": render_plan}


def print_plan(
    made: Plan, form: Format, *, command: Command, file: Path, desired: DesiredState | None = None, local: bool = True
) -> None:
    """Write a plan to standard output; `file` is the manifest as named, `desired` its content (None: not known).

    `local` says that the plan is about the environments of this machine.
    """
    match form:
        case Format.TEXT:
            console().print(plan_text(made, command=command, file=file))
        case Format.JSON:
            from reconciler.plan.document import plan_json  # its models take their time

            console().print(plan_json(made))
        case _:
            print_report(report_of(made, form, command=command, file=file, desired=desired, local=local), form)


def print_notes(notes: Iterable[str]) -> None:
    """Write what a person should know besides the plan to standard error."""
    console().message(notes_text(notes))


def print_report(report: Report, form: Format) -> None:
    """Write a report to standard output; with `github`, also write the Markdown report to the step summary."""
    console().print(render_report(report, form))
    summary = os.environ.get("GITHUB_STEP_SUMMARY", "")
    if form is Format.GITHUB and summary:
        try:
            with Path(summary).open("a", encoding="utf-8") as stream:
                stream.write("\n" + render_report(report, Format.MARKDOWN))  # the last line in the file may not end
        except OSError as error:
            console().message(f"warning: the step summary could not be written: {error.strerror}")


def report_of(
    made: Plan, form: Format, *, command: Command, file: Path, desired: DesiredState | None, local: bool = True
) -> Report:
    """Return the content of a report; its `file` is relative to the repository if that is known.

    Only for the HTML page, the history and the dependency graphs are read from this machine as well.
    """
    named = _in_repository(file)
    environments = desired.environments if desired else ()
    places = {each.name: named + each.place.removeprefix(str(file)) for each in environments}
    report = Report(plan=made, command=command, file=named, places=places)
    if form is not Format.HTML or desired is None or not local:
        return report
    from reconciler.cli.report_extras import newest_runs, published_graphs  # only this format needs it

    return replace(report, runs=newest_runs(desired.root), graphs=published_graphs(made, desired.root))


def _in_repository(file: Path) -> str:
    """Return a path relative to the checkout of GitHub or GitLab; unchanged if it is outside of it.

    Annotations name files relative to the repository, whatever the job's working directory is.
    """
    workspace = os.environ.get("GITHUB_WORKSPACE") or os.environ.get("CI_PROJECT_DIR") or ""
    if not workspace:
        return str(file)
    place = Path(os.path.realpath(file.parent), file.name)
    root = Path(os.path.realpath(workspace))
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else str(file)


def plan_text(made: Plan, *, command: Command, file: Path) -> str:
    """Render a plan as text for this terminal and working directory."""
    out = console()
    return _TEXT[command](
        made,
        palette=out.palette(sys.stdout),
        width=out.width,
        verbose=out.verbose,
        shown_root=shown_root(made.root),
        manifest=file.name,
    )
