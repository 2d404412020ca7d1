"""The notes of a plan: facts that do not count as a difference, but that a person should read in every format."""

from collections.abc import Iterable

from reconciler.events import Notice
from reconciler.plan.model import Plan
from reconciler.render.escape import sanitize


def general_notes(plan: Plan) -> tuple[str, ...]:
    """Return the notes that belong to no environment: what was left out, then remarks about this machine."""
    return (*plan.notes, *plan.remarks)


def all_notes(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Return every note with its environment, which is empty for those that belong to none; these come first."""
    of_environments = [(each.name, note) for each in plan.environments for note in each.notes]
    return (*(("", note) for note in general_notes(plan)), *of_environments)


def note_notices(plan: Plan) -> tuple[Notice, ...]:
    """Return the notes as events, for the event stream of an apply, which does not contain the plan."""
    return tuple(Notice(message=note, environment=name) for name, note in all_notes(plan))


def notes_text(notes: Iterable[str]) -> str:
    """Return notes as text for standard error, one line each, sanitized; empty without notes."""
    return "".join(f"note: {sanitize(each)}\n" for each in notes)
