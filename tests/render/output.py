"""The text that a command prints for a report, in any format."""

from typing import assert_never

from reconciler.events import Event, RunStarted
from reconciler.plan.document import plan_json
from reconciler.render.event_json import event_json
from reconciler.render.formats import Format, render_report
from reconciler.render.notes import general_notes, note_notices, notes_text
from reconciler.render.plan_text import render_check, render_plan
from reconciler.render.progress import PlainProgress
from reconciler.render.report import Report
from reconciler.render.style import Palette


def printed(report: Report, form: Format, *, width: int = 80) -> str:
    """Return what `envsync plan`, `check` or `apply` prints; of `apply --output text`, both streams in their order.

    A new format needs no branch here: `render_report` makes it.
    """
    match form:
        case Format.TEXT:
            return _text(report, width)
        case Format.JSON:
            return _json(report)
        case _:
            return render_report(report, form)


def _text(report: Report, width: int) -> str:
    palette = Palette.plain()
    match report.command:
        case "check":
            render = render_check
        case "plan" | "apply":
            render = render_plan
        case _:
            assert_never(report.command)
    plan = render(report.plan, palette=palette, width=width, verbose=0, shown_root=".envs", manifest="envs.yaml")
    lines = [plan, notes_text(general_notes(report.plan))]
    if report.result is not None:
        progress = PlainProgress(lines.append, palette=palette)
        finished: tuple[Event, ...] = (*report.result.environments, report.result)
        for event in finished:
            progress.on_event(event)
    return "".join(lines)


def _json(report: Report) -> str:
    if report.result is None:
        return plan_json(report.plan)
    names = tuple(each.environment for each in report.result.environments)
    started = RunStarted(plan=report.plan.id, project=report.plan.project, environments=names)
    events: tuple[Event, ...] = (started, *note_notices(report.plan), *report.result.environments, report.result)
    return "".join(event_json(event) for event in events)
