"""Lines of a plan about settings: `env.DEBUG: "0" -> "1"`."""

import json
import re
from collections.abc import Sequence

from reconciler.canonical_json import Json
from reconciler.diff.model import SettingChange
from reconciler.json_output import outgoing
from reconciler.render.escape import escape
from reconciler.render.layout import Piece, cut, lay_out
from reconciler.render.package_text import INDENT
from reconciler.render.style import Palette, Style

_LONGEST_VALUE = 60  # columns
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


def setting_lines(changes: Sequence[SettingChange], *, palette: Palette, width: int, whole: bool) -> list[str]:
    """Return one entry a setting; `whole` shows long values whole."""
    return [
        line
        for each in changes
        for line in lay_out(
            [_symbol(each)], [Piece(text=setting_sentence(each, whole))], palette=palette, width=width, indent=INDENT
        )
    ]


def _symbol(change: SettingChange) -> Piece:
    if change.before is None:
        return Piece(text="+", style=Style.GOOD, gap=1)
    if change.after is None:
        return Piece(text="-", style=Style.BAD, gap=1)
    return Piece(text="~", style=Style.CHANGED, gap=1)


def setting_sentence(change: SettingChange, whole: bool) -> str:
    """Return path and values, fit to be shown: `env.DEBUG: "0" -> "1"`.

    Never two values that look alike, for what differs may be cut off or blotted out.
    """
    values = [setting_value(each, whole=whole) for each in (change.before, change.after) if each is not None]
    if len(values) > len(set(values)):
        values = [setting_value(each) for each in (change.before, change.after)]
    if len(values) > len(set(values)):
        return f"{setting_path(change.path)}: {values[0]} (changed in what is not shown)"
    return f"{setting_path(change.path)}: {' -> '.join(values)}"


def setting_path(path: Sequence[str | int]) -> str:
    """Return a path as the manifest's errors write it: `env.DEBUG`, `probes[0].timeout`, `labels["a b"]`."""
    parts = []
    for each in path:
        if isinstance(each, int):
            parts.append(f"[{each}]")
        elif _PLAIN_KEY.fullmatch(each):
            parts.append(f".{each}")
        else:
            parts.append(f"[{setting_value(each)}]")
    return "".join(parts).removeprefix(".")


def setting_value(value: Json, *, whole: bool = True) -> str:
    """Return a setting's value as JSON that is fit to be shown; cut where long, unless `whole`."""
    text = escape(json.dumps(outgoing(value), ensure_ascii=False))
    return text if whole else cut(text, _LONGEST_VALUE)
