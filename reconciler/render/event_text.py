"""Apply's events as text: a line for each finished environment, the details of a failure, and notices."""

from collections.abc import Sequence

from reconciler.events import EnvironmentFinished, Failure, Notice, Status
from reconciler.plan.model import Action
from reconciler.render.error_text import detail_lines
from reconciler.render.escape import sanitize
from reconciler.render.phrases import duration
from reconciler.render.style import Palette, Style

# The steps whose details are shown when their environment is finished.
STEPS_WITH_DETAIL = frozenset({"trial", "build", "verify", "carry-over", "adopt", "rename", "forget"})
ACTIONS_DONE: dict[str, str] = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.REPLACE: "replaced",
    Action.DELETE: "deleted",
    Action.ADOPT: "adopted",
    Action.RENAME: "renamed",
}
SUCCESSFUL = frozenset({Status.APPLIED, Status.STAGED, Status.LEFT, Status.HELD, Status.UNCHANGED})
_STYLES = {
    Status.APPLIED: Style.GOOD,
    Status.STAGED: Style.GOOD,
    Status.LEFT: Style.FAINT,
    Status.UNCHANGED: Style.FAINT,
    Status.FAILED: Style.REFUSED,
    Status.HOOK_FAILED: Style.REFUSED,
    Status.UNHEALTHY: Style.REFUSED,
    Status.ROLLED_BACK: Style.REFUSED,
    Status.BLOCKED: Style.REFUSED,
    Status.HELD: Style.NOTED,
    Status.INTERRUPTED: Style.CHANGED,
}


def finished_lines(
    event: EnvironmentFinished, details: Sequence[str], palette: Palette, *, mark: str = ""
) -> list[str]:
    """Return one line for a finished environment, and the details of its failure; `details` are those of its steps."""
    style = _STYLES[event.status]
    sign = f"{palette.paint(mark, style)} " if mark else ""
    name = palette.paint(sanitize(event.environment), Style.STRONG)
    if event.failure is not None and event.status in {Status.HOOK_FAILED, Status.UNHEALTHY}:  # the message says why
        outcome, link = f"{_done(event, timed=True)}, but", " "
    else:
        outcome, link = outcome_text(event, timed=True), ": "
    head = f"{sign}{name}: {palette.paint(outcome, style)}"
    if event.failure is not None and (event.status is not Status.INTERRUPTED or event.failure.hint):
        return [f"{head}{link}{sanitize(event.failure.message)}", *_failure_lines(event.failure, palette)]
    shown = event.staged or event.generation
    number = f"generation {shown}" if shown else ""
    facts = ", ".join(each for each in (number, *(sanitize(each) for each in details)) if each)
    return [f"{head} ({facts})" if facts and event.status in {Status.APPLIED, Status.STAGED} else head]


def notice_line(event: Notice, palette: Palette) -> str:
    """Return a notice's line."""
    environment = f"{sanitize(event.environment)}: " if event.environment else ""
    return f"{palette.paint('note:', Style.NOTED)} {environment}{sanitize(event.message)}"


def outcome_text(event: EnvironmentFinished, *, timed: bool = False) -> str:
    """Return how an environment ended: `created`, `updated, but a hook failed`, or `timed`, `created in 1.2s`."""
    if event.status is Status.APPLIED:
        return _done(event, timed=timed)
    if event.status is Status.HOOK_FAILED:
        return f"{_done(event, timed=timed)}, but a hook failed"
    if event.status is Status.UNHEALTHY:
        return f"{_done(event, timed=timed)}, but its health check failed"
    if event.status is Status.ROLLED_BACK:
        return f"rolled back{_seconds(event, timed=timed)}"
    return f"{event.status.value}{_seconds(event, timed=timed)}"


def is_unsuccessful(finished: EnvironmentFinished | None) -> bool:
    """Return whether an apply did not make an environment as planned."""
    return finished is not None and finished.status not in SUCCESSFUL


def _done(event: EnvironmentFinished, *, timed: bool) -> str:
    """Return what was done: `created`, or `timed`, `created in 1.2s`."""
    return f"{ACTIONS_DONE.get(event.action, 'done')}{_seconds(event, timed=timed)}"


def _seconds(event: EnvironmentFinished, *, timed: bool) -> str:
    return f" in {duration(event.seconds)}" if timed and event.seconds else ""


def _failure_lines(failure: Failure, palette: Palette) -> list[str]:
    lines = detail_lines(failure.details, indent=4)
    if failure.hint:
        lines.append(f"  {palette.paint('hint:', Style.NOTED)} {sanitize(failure.hint)}")
    return lines
