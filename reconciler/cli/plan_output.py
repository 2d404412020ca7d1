"""A plan as the command line asks for it: text for this run's terminal, JSON, or one of the reports."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from reconciler.cli.console import screen, shown_root
from reconciler.cli.report_extras import newest_runs, published_graphs
from reconciler.manifest.desired import DesiredState
from reconciler.plan.model import Plan
from reconciler.render.plan_text import render_check, render_plan
from reconciler.render.report import Command, Format, Report, render_report

_TEXT: Mapping[Command, Callable[..., str]] = {"plan": render_plan, "check": render_check, "apply": render_plan}


def say_plan(
    made: Plan, form: Format, *, command: Command, file: Path, desired: DesiredState | None = None, here: bool = True
) -> None:
    """Write a plan to standard output; `file` is the manifest as named, `desired` (None: not at hand) its content.

    `here` says that the plan is about the environments of this machine.
    """
    match form:
        case Format.TEXT:
            screen().say(as_text(made, command=command, file=file))
        case Format.JSON:
            from reconciler.plan.document import plan_json  # its models take their time

            screen().say(plan_json(made))
        case _:
            say_report(report_of(made, form, command=command, file=file, desired=desired, here=here), form)


def say_report(report: Report, form: Format) -> None:
    """Write a report to standard output; as `github`, the Markdown one to the step's summary, too."""
    screen().say(render_report(report, form))
    summary = os.environ.get("GITHUB_STEP_SUMMARY", "")
    if form is Format.GITHUB and summary:
        try:
            with Path(summary).open("a", encoding="utf-8") as stream:
                stream.write("\n" + render_report(report, Format.MARKDOWN))  # what stands there may not end its line
        except OSError as error:
            screen().talk(f"warning: the step's summary cannot be written: {error.strerror}")


def report_of(
    made: Plan, form: Format, *, command: Command, file: Path, desired: DesiredState | None = None, here: bool = True
) -> Report:
    """Return what the reports are rendered from; their `file` is relative to the repository, if that is known.

    For the page alone what this machine knows beside the plan is read: after an apply, thus, as it is then.
    """
    named = _in_repository(file)
    environments = desired.environments if desired else ()
    places = {each.name: named + each.place.removeprefix(str(file)) for each in environments}
    report = Report(plan=made, command=command, file=named, places=places)
    if form is not Format.HTML or desired is None or not here:
        return report
    return replace(report, runs=newest_runs(desired.root), graphs=published_graphs(made, desired.root))


def _in_repository(file: Path) -> str:
    """Return a path relative to the checkout of GitHub or GitLab, or as it is where it is elsewhere.

    Their annotations are of files of the repository, wherever in it the job works.
    """
    workspace = os.environ.get("GITHUB_WORKSPACE") or os.environ.get("CI_PROJECT_DIR") or ""
    if not workspace:
        return str(file)
    place = Path(os.path.realpath(file.parent), file.name)
    root = Path(os.path.realpath(workspace))
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else str(file)


def as_text(made: Plan, *, command: Command, file: Path) -> str:
    """Render a plan as this run's terminal, and the person's place, want it."""
    out = screen()
    return _TEXT[command](
        made,
        palette=out.palette(sys.stdout),
        width=out.width,
        verbose=out.verbose,
        shown_root=shown_root(made.root),
        manifest=file.name,
    )
