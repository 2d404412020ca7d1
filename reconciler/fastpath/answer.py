"""Answers `plan` and `check` where nothing changed, without the full program's imports."""

from __future__ import annotations

import gc
import os

from reconciler.fastpath.command_line import asked
from reconciler.fastpath.look import count_unchanged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.fastpath.command_line import Question

_WIDTH_OFF_A_TERMINAL = 100
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_NO_CHANGE = {"plan": "No changes.", "check": "No drift."}


def answer(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Print the answer and return True, or return False having printed nothing: the full program is to be asked."""
    question = asked(arguments, environ)
    if question is None:
        return False
    gc.disable()  # a look makes thousands of objects and no cycles: collecting would take a tenth of the time
    try:
        here = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            text = _sentence(question, count_unchanged(question.file, files=question.files), environ)
        finally:
            os.fchdir(here)
            os.close(here)
        return bool(text) and os.write(1, text) == len(text)
    except OSError:  # the full program tells what is wrong
        return False
    finally:
        gc.enable()


def _sentence(question: Question, number: int, environ: Mapping[str, str]) -> bytes:
    """Return the one line that is printed, as `render_plan` and `render_check` have it; empty where it would wrap."""
    name = os.path.basename(question.file)  # noqa: PTH119  # no pathlib here
    if not number or not _PLAIN.issuperset(name):
        return b""
    noun = "environment is" if number == 1 else "environments are"
    text = f"{_NO_CHANGE[question.command]} {number} {noun} as {name} says."
    try:
        terminal = os.isatty(1)
        width = int(environ.get("COLUMNS") or 0) if terminal else _WIDTH_OFF_A_TERMINAL
        width = width if width > 0 else os.get_terminal_size(1).columns
    except (OSError, ValueError):
        return b""
    if len(text) > width:
        return b""
    if terminal or question.color != "auto" or "FORCE_COLOR" in environ:
        from reconciler.render.color import want_color

        if want_color(question.color, terminal, environ):
            text = f"\x1b[1m{text}\x1b[0m"
    return f"{text}\n".encode("ascii")
