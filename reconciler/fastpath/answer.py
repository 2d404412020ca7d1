"""Answers `plan` and `check` if nothing changed, without the imports of the full program."""

from __future__ import annotations

import gc
import os

from reconciler.fastpath.command_line import parse_command_line
from reconciler.fastpath.unchanged import count_unchanged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.fastpath.command_line import QuickRequest

_WIDTH_OFF_A_TERMINAL = 100
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_NO_CHANGE = {"plan": "No changes.", "check": "No drift."}


def answer(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Print the answer and return True; print nothing and return False if the full program must answer."""
    request = parse_command_line(arguments, environ)
    if request is None:
        return False
    gc.disable()  # the check makes thousands of objects and no cycles: collection would take a tenth of the time
    try:
        working_directory = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            text = _sentence(request, count_unchanged(request.file, files=request.files), environ)
        finally:
            os.fchdir(working_directory)
            os.close(working_directory)
        return bool(text) and os.write(1, text) == len(text)
    except OSError:  # the full program reports what is wrong
        return False
    finally:
        gc.enable()


def _sentence(request: QuickRequest, number: int, environ: Mapping[str, str]) -> bytes:
    """Return the line to print, the same as `render.summary` makes; empty if the full program must answer.

    That is so if `number` is 0, if the line would be wrapped, or if the manifest's name would be escaped.
    """
    name = os.path.basename(request.file)  # noqa: PTH119  # no pathlib here
    if not number or not _PLAIN.issuperset(name):
        return b""
    match = "environment matches" if number == 1 else "environments match"
    text = f"{_NO_CHANGE[request.command]} {number} {match} `{name}`."
    try:
        terminal = os.isatty(1)
        width = int(environ.get("COLUMNS") or 0) if terminal else _WIDTH_OFF_A_TERMINAL
        width = width if width > 0 else os.get_terminal_size(1).columns
    except (OSError, ValueError):
        return b""
    if len(text) > width:
        return b""
    if terminal or request.color != "auto" or "FORCE_COLOR" in environ:
        from reconciler.render.color import want_color

        if want_color(request.color, terminal, environ):
            text = f"\x1b[1m{text}\x1b[0m"
    return f"{text}\n".encode("ascii")
