"""Setting changes of a plan as text: `env.DEBUG: "0" -> "1"`."""

import json
import re
from collections.abc import Sequence
from typing import TypeGuard

from reconciler.canonical_json import Json
from reconciler.diff.model import SettingChange
from reconciler.json_output import safe_json
from reconciler.redaction import REDACTED
from reconciler.render.escape import escape
from reconciler.render.layout import Segment, entry_lines
from reconciler.render.package_text import INDENT
from reconciler.render.style import Palette, Style
from reconciler.render.text_width import truncate

_MAX_VALUE_WIDTH = 60  # columns
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


def setting_lines(changes: Sequence[SettingChange], *, palette: Palette, width: int, full: bool) -> list[str]:
    """Return one entry a setting; `full` does not truncate long values."""
    return [
        line
        for each in changes
        for line in entry_lines(
            [_symbol(each)],
            [Segment(text=setting_sentence(each, full=full))],
            palette=palette,
            width=width,
            indent=INDENT,
        )
    ]


def _symbol(change: SettingChange) -> Segment:
    if change.before is None:
        return Segment(text="+", style=Style.GOOD, gap=1)
    if change.after is None:
        return Segment(text="-", style=Style.BAD, gap=1)
    return Segment(text="~", style=Style.CHANGED, gap=1)


def setting_sentence(change: SettingChange, *, full: bool = False) -> str:
    """Return path and values, sanitized: `env.DEBUG: "0" -> "1"`.

    Values that are masked are only said to have changed, with their digests if they have any. Two values that look
    alike are never shown as a change: their difference was truncated or redacted.
    """
    if is_masked(change.before) and is_masked(change.after):
        digests = [each.removeprefix(REDACTED).strip() for each in (change.before, change.after)]
        return f"{setting_path(change.path)}: changed{f' ({digests[0]} -> {digests[1]})' if all(digests) else ''}"
    values = [setting_value(each, full=full) for each in (change.before, change.after) if each is not None]
    if len(values) > len(set(values)):
        values = [setting_value(each) for each in (change.before, change.after)]
    if len(values) > len(set(values)):
        return f"{setting_path(change.path)}: {values[0]} (the redacted part changed)"
    return f"{setting_path(change.path)}: {' -> '.join(values)}"


def is_masked(value: Json) -> TypeGuard[str]:
    """Return whether a value is masked (`reconciler.diff.masking`): `****`, or `**** 1f3a9c02b4d5`."""
    return isinstance(value, str) and value.startswith(REDACTED)


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


def setting_value(value: Json, *, full: bool = True) -> str:
    """Return a setting's value as sanitized JSON; a long one is truncated unless `full`."""
    text = escape(json.dumps(safe_json(value), ensure_ascii=False))
    return text if full else truncate(text, _MAX_VALUE_WIDTH)
