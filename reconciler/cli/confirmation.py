"""Asks on the terminal before something is done."""

import sys

from reconciler.errors import InterruptedByUserError, UsageError


def require_terminal(*, purpose: str) -> None:
    """Raise UsageError if no one can answer; `purpose` is what `--yes` does without asking."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "cannot ask for confirmation without a terminal", hint=f"add `--yes` to {purpose} without confirmation"
        )


def confirm(question: str) -> None:
    """Ask once; raise InterruptedByUserError for any answer except `yes` or `y`."""
    sys.stderr.write(question)
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"yes", "y"}:
        raise InterruptedByUserError("not confirmed; nothing was changed", hint=None)
