"""A plan as the command line asks for it: text for this run's terminal, JSON, or one of the reports."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from reconciler.cli.screen import screen, shown_root
from reconciler.manifest.desired import DesiredState
from reconciler.plan.document import plan_json
from reconciler.plan.model import Plan
from reconciler.render.plan_text import render_check, render_plan
from reconciler.render.report import Command, Format, Report, render_report

_TEXT: Mapping[Command, Callable[..., str]] = {"plan": render_plan, "check": render_check, "apply": render_plan}


def say_plan(made: Plan, form: Format, *, command: Command, file: Path, desired: DesiredState | None = None) -> None:
    """Write a plan to standard output; `file` is the manifest as named, `desired` (None: not at hand) its content."""
    match form:
        case Format.TEXT:
            screen().say(as_text(made, command=command, file=file))
        case Format.JSON:
            screen().say(plan_json(made))
        case _:
            screen().say(render_report(report_of(made, command=command, file=file, desired=desired), form))


def report_of(made: Plan, *, command: Command, file: Path, desired: DesiredState | None = None) -> Report:
    """Return what the reports are rendered from."""
    environments = desired.environments if desired else ()
    return Report(plan=made, command=command, file=str(file), places={each.name: each.place for each in environments})


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
