r"""The problems of a manifest as text: where, what, the line itself, and a hint."""

import unicodedata

from reconciler.errors import ManifestError, Problem
from reconciler.render.escape import escape

_MOST = 100  # beyond that, a person starts with the first ones anyway


def render_problems(error: ManifestError) -> str:
    r"""Return the problems as plain text, at most 100 of them; control characters are shown as `\x1b`."""
    shown = [_problem(problem) for problem in error.problems[:_MOST]]
    if len(error.problems) > _MOST:
        shown.append(f"error: {len(error.problems) - _MOST} more\n")
    return "\n".join(shown)


def _problem(problem: Problem) -> str:
    parts = [str(problem.place) if problem.place else "", problem.path, problem.message]
    lines = ["error: " + escape(": ".join(part for part in parts if part))]
    width = max([4, *(len(str(number)) for number, _ in problem.context)])
    for number, text in problem.context:
        lines.append(f" {number:>{width}} | {escape(text)}".rstrip())
    if problem.caret and problem.context:
        column, length = problem.caret
        text = problem.context[-1][1]
        before, marked = text[: column - 1], text[column - 1 : column - 1 + length]
        lines.append(f" {'':>{width}} | {' ' * _cells(escape(before))}{'^' * max(1, _cells(escape(marked)))}")
    if problem.hint:
        lines.append("hint: " + escape(problem.hint))
    return "".join(line + "\n" for line in lines)


def _cells(text: str) -> int:
    """Return how many columns of a terminal `text` takes (Unicode, annex 11)."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )
