"""What apply's events say to a person: a line an environment, a failure's details, and the closing line."""

from collections import Counter
from collections.abc import Sequence

from reconciler.events import EnvironmentFinished, Failure, Notice, RunFinished, Status
from reconciler.plan.model import Action
from reconciler.render.error import detail_lines
from reconciler.render.escape import shown
from reconciler.render.style import Palette, Style

# Steps whose sentence is worth a word once the environment is done.
TOLD_STEPS = frozenset({"build", "verify", "adopt"})
_DONE: dict[str, str] = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.REPLACE: "replaced",
    Action.DELETE: "deleted",
    Action.ADOPT: "adopted",
}
_WORDS = {
    Status.UNCHANGED: ("unchanged", Style.FAINT),
    Status.FAILED: ("failed", Style.REFUSED),
    Status.BLOCKED: ("blocked", Style.REFUSED),
    Status.INTERRUPTED: ("interrupted", Style.CHANGED),
}


def finished_lines(event: EnvironmentFinished, told: Sequence[str], palette: Palette, *, mark: str = "") -> list[str]:
    """Return one line for an environment that is done with, and why if it went wrong; `told` are its steps' words."""
    word, style = outcome(event)
    number = f"generation {event.generation}" if event.generation and event.status is Status.APPLIED else ""
    facts = ", ".join(each for each in (number, *(shown(each) for each in told)) if each)
    took = f" in {seconds_text(event.seconds)}" if event.seconds else ""
    sign = f"{palette.paint(mark, style)} " if mark else ""
    head = f"{sign}{palette.paint(shown(event.environment), Style.STRONG)}: {palette.paint(word, style)}{took}"
    if event.failure is None or event.status is Status.INTERRUPTED:
        return [f"{head} ({facts})" if facts and event.status is Status.APPLIED else head]
    return [f"{head}: {shown(event.failure.message)}", *_failure_lines(event.failure, palette)]


def notice_line(event: Notice, palette: Palette) -> str:
    """Return a notice's line."""
    whose = f"{shown(event.environment)}: " if event.environment else ""
    return f"{palette.paint('note:', Style.NOTED)} {whose}{shown(event.message)}"


def render_result(result: RunFinished, palette: Palette) -> str:
    """Return the closing line of a run, without line end: `Applied: 2 created, 1 failed; 3 unchanged.`"""
    done = Counter(each.action for each in result.environments if each.status is Status.APPLIED)
    counts = Counter(each.status for each in result.environments)
    parts = [f"{done[action]} {word}" for action, word in _DONE.items() if done[action]]
    hooks = counts[Status.HOOK_FAILED]
    wrong = [f"{hooks} applied but for a hook that failed"] if hooks else []
    wrong += [f"{counts[each]} {each.value}" for each in (Status.FAILED, Status.BLOCKED) if counts[each]]
    if counts[Status.INTERRUPTED]:
        wrong.append(f"{counts[Status.INTERRUPTED]} not done")
    parts += wrong
    label = "Applied:" if done or hooks or not parts else "Not applied:"
    unchanged = f"{counts[Status.UNCHANGED]} unchanged" if counts[Status.UNCHANGED] else ""
    told = "; ".join(each for each in (", ".join(parts), unchanged) if each) or "nothing"
    text = f"{'Interrupted:' if result.interrupted else label} {told}." + (
        " Nothing is half-done." if result.interrupted else ""
    )
    return palette.paint(text, Style.CHANGED if result.interrupted else Style.REFUSED if wrong else Style.GOOD)


def went_wrong(ended: EnvironmentFinished | None) -> bool:
    """Say whether an apply did not make an environment as planned."""
    return ended is not None and ended.status not in {Status.APPLIED, Status.UNCHANGED}


def seconds_text(seconds: float) -> str:
    """Return a duration as people read it: `0.4s`, `12.3s`, `2m05s`."""
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    return f"{whole // 60}m{whole % 60:02}s"


def outcome(event: EnvironmentFinished) -> tuple[str, Style]:
    """Return what became of an environment, in a word or a few, and how to paint it."""
    if event.status is Status.APPLIED:
        return _DONE.get(event.action, "done"), Style.GOOD
    if event.status is Status.HOOK_FAILED:
        return f"{_DONE.get(event.action, 'done')}, but a hook failed", Style.REFUSED
    return _WORDS[event.status]


def _failure_lines(failure: Failure, palette: Palette) -> list[str]:
    lines = detail_lines(failure.details, indent=4)
    if failure.hint:
        lines.append(f"  {palette.paint('hint:', Style.NOTED)} {shown(failure.hint)}")
    return lines
