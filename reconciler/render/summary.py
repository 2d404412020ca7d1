"""The closing line of a plan, a check or an apply, which every format but JSON shows."""

from collections import Counter
from pathlib import PurePath

from reconciler.backticks import in_backticks
from reconciler.events import RunFinished, Status
from reconciler.plan.model import Plan
from reconciler.render.drift_status import DriftStatus, drift_status
from reconciler.render.escape import sanitize
from reconciler.render.event_text import ACTIONS_DONE
from reconciler.render.phrases import count
from reconciler.render.report import Report
from reconciler.render.style import Palette, Style

_ACTIONS = ("create", "update", "replace", "delete", "adopt", "rename")
_NO_DIFFERENCE = {"": "No drift.", "drift": "No drift.", "pending": "No pending changes."}
_DRIFT_PHRASES = {
    DriftStatus.DRIFT: "drifted",
    DriftStatus.PENDING: "pending",
    DriftStatus.BOTH: "drift+pending",
    DriftStatus.BLOCKED: "blocked",
    DriftStatus.HELD: "held",
    DriftStatus.OK: "unchanged",
}


def report_summary(report: Report) -> str:
    """Return a report's closing line, sanitized: the same that the text output has."""
    if report.result is not None:
        return run_summary(report.result, Palette.plain())
    manifest = PurePath(report.file).name
    return (check_summary if report.command == "check" else plan_summary)(report.plan, manifest)


def plan_summary(plan: Plan, manifest: str) -> str:
    """Return a plan's closing line, sanitized: `Plan: 1 to create, 2 unchanged.`"""
    if not plan.has_difference:
        return f"No changes. {_match(plan, manifest)}"
    counts = plan.summary
    parts = [f"{getattr(counts, action)} to {action}" for action in _ACTIONS if getattr(counts, action)]
    parts += [f"{counts.blocked} blocked"] if counts.blocked else []
    parts += [f"{counts.held} held"] if counts.held else []
    parts += [f"{counts.unchanged} unchanged"] if counts.unchanged else []
    return f"Plan: {', '.join(parts)}."


def check_summary(plan: Plan, manifest: str) -> str:
    """Return a check's closing line, sanitized, in which each environment counts once: `Check: 1 drifted, 2 unchanged.`

    Without a difference it is that of `reconciler.fastpath.answer`, byte for byte.
    """
    if not plan.has_difference:
        return f"{_NO_DIFFERENCE[plan.only]} {_match(plan, manifest)}"
    counts = Counter(drift_status(each) for each in plan.environments)
    parts = [f"{counts[status]} {phrase}" for status, phrase in _DRIFT_PHRASES.items() if counts[status]]
    return f"Check: {', '.join(parts)}."


def run_summary(result: RunFinished, palette: Palette) -> str:
    """Return an apply's closing line: `Applied: 2 created, 1 failed; 3 unchanged.`"""
    actions = Counter(each.action for each in result.environments if each.status is Status.APPLIED)
    counts = Counter(each.status for each in result.environments)
    hooks = counts[Status.HOOK_FAILED]
    staged = [f"{counts[Status.STAGED]} staged"] if counts[Status.STAGED] else []
    applied = [f"{actions[action]} {word}" for action, word in ACTIONS_DONE.items() if actions[action]]
    wrong = [f"{hooks} applied with a failed hook"] if hooks else []
    wrong += [f"{counts[Status.UNHEALTHY]} unhealthy"] if counts[Status.UNHEALTHY] else []
    wrong += [f"{counts[Status.ROLLED_BACK]} rolled back"] if counts[Status.ROLLED_BACK] else []
    wrong += [f"{counts[each]} {each.value}" for each in (Status.FAILED, Status.BLOCKED) if counts[each]]
    wrong += [f"{counts[Status.INTERRUPTED]} not applied"] if counts[Status.INTERRUPTED] else []
    idle = [f"{counts[each]} {each.value}" for each in (Status.LEFT, Status.HELD, Status.UNCHANGED) if counts[each]]
    unchanged = ", ".join(idle)
    parts = "; ".join(each for each in (", ".join([*staged, *applied, *wrong]), unchanged) if each) or "nothing"
    if result.interrupted:
        text = f"Interrupted: {parts}. Nothing is half-done."
        return palette.paint(text, Style.CHANGED)
    if applied or hooks or counts[Status.UNHEALTHY]:
        text = f"Applied: {parts}."
    elif staged:
        text = f"Not published: {parts}."
    elif wrong:
        text = f"Not applied: {parts}."
    else:
        text = f"Nothing to apply: {unchanged}." if unchanged else "Nothing to apply."
    return palette.paint(text, Style.REFUSED if wrong else Style.GOOD)


def _match(plan: Plan, manifest: str) -> str:
    """Return that all environments match the manifest."""
    held = plan.summary.held
    number = len(plan.environments) - held
    shown = sanitize(in_backticks(manifest))
    name = f"{shown} at {sanitize(in_backticks(plan.against))}" if plan.against else shown
    if not number and not held:
        return f"No environments are declared in {name}."
    if plan.only:
        checked = number + held
        return f"{count(checked, 'environment')} {'was' if checked == 1 else 'were'} checked."
    kept = f", {held} {'is' if held == 1 else 'are'} held" if held else ""
    return f"{count(number, 'environment')} {'matches' if number == 1 else 'match'} {name}{kept}."
