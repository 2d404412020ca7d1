"""The one line that says how it stands, for the reports: the text output's own."""

from pathlib import PurePath

from reconciler.render.event_text import render_result
from reconciler.render.plan_text import check_summary, plan_summary
from reconciler.render.report import Report
from reconciler.render.style import Palette


def summary_line(report: Report) -> str:
    """Return the one line that says how it stands, as the text output has it; fit to be shown."""
    if report.result is not None:
        return render_result(report.result, Palette.plain())
    named = PurePath(report.file).name
    return (check_summary if report.command == "check" else plan_summary)(report.plan, named)
