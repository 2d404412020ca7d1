"""Where everything in a manifest stands: line and column of every key and value, and the lines to show."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from reconciler.errors import Place, Problem
from reconciler.manifest.refusal import RefusedError
from reconciler.manifest.urls import blot_out, blot_out_line

KeyPath: TypeAlias = tuple[str | int, ...]

_WIDEST = 110  # characters of a source line that are shown


def dotted(path: KeyPath) -> str:
    """Return a key path as people write it: `environments.web.packages[1]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[\w-]+", part, re.ASCII):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part, ensure_ascii=False)}]"
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceText:
    """A manifest's text, and where each key and value of it stands.

    `file` is the name that the user gave. `values` and `keys` go by key path; `written` holds the source text of
    values that YAML did not read as strings (`3.10`, `on`).
    """

    file: str
    sha256: str
    lines: tuple[str, ...]
    values: Mapping[KeyPath, Place] = field(default_factory=dict)
    keys: Mapping[KeyPath, Place] = field(default_factory=dict)
    written: Mapping[KeyPath, str] = field(default_factory=dict)

    def value_place(self, path: KeyPath) -> Place:
        """Return where the value at `path` stands, else the nearest one that holds it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path) or Place(file=self.file, line=1, column=1)

    def key_place(self, path: KeyPath) -> Place:
        """Return where the key of `path` stands, else its value."""
        return self.keys.get(path) or self.value_place(path)

    def within(self, path: KeyPath, text: str, offset: int, width: int) -> Place:
        """Return the place of `width` characters at `offset` of the string at `path`; all of it where it is escaped."""
        place = self.value_place(path)
        written = self.lines[place.line - 1][place.column - 1 :][: place.width]
        for lead in (0, 1):  # plain, quoted
            if written[lead : len(written) - lead] == text:
                return replace(place, column=place.column + lead + offset, width=max(1, width))
        return place

    def problem(self, message: str, path: KeyPath, *, hint: str = "", place: Place | None = None) -> Problem:
        """Return what is wrong at `path`: at its value, unless `place` says otherwise."""
        return problem_at(place or self.value_place(path), self.lines, message, path=dotted(path), hint=hint)

    def refusal(self, refusal: RefusedError, path: KeyPath, text: str) -> Problem:
        """Return the problem of a string at `path` that was refused."""
        place = None if refusal.offset is None else self.within(path, text, refusal.offset, refusal.width)
        return self.problem(refusal.message, path, hint=refusal.hint, place=place)


def problem_at(place: Place, lines: tuple[str, ...], message: str, *, path: str = "", hint: str = "") -> Problem:
    """Return a problem with the line it stands on and the one before, long lines cut, credentials blotted out."""
    context: list[tuple[int, str]] = []
    caret = None
    if 1 <= place.line <= len(lines):
        if place.line > 1 and lines[place.line - 2].strip():
            context.append((place.line - 1, _cut(blot_out_line(lines[place.line - 2]), 0)[0]))
        line = lines[place.line - 1]
        shown = blot_out_line(line)
        column, width = place.column, place.width
        if shown != line:  # what is blotted out before the place moves it, what is blotted out in it shortens it
            column = min(len(blot_out_line(line[: place.column - 1])), len(shown)) + 1
            width = max(1, min(width, len(shown) - column + 1))
        text, start = _cut(shown, column - 1)
        context.append((place.line, text))
        caret = (column - start, width)
    return Problem(
        message=blot_out(message),
        path=blot_out(path),
        place=place,
        hint=blot_out(hint) or None,
        context=tuple(context),
        caret=caret,
    )


def _cut(line: str, column: int) -> tuple[str, int]:
    """Return at most `_WIDEST` characters of `line` around `column` (from 0), and how far that moved them left."""
    line = line.rstrip()
    if len(line) <= _WIDEST:
        return line, 0
    start = max(0, min(column - _WIDEST // 3, len(line) - _WIDEST))
    text = line[start : start + _WIDEST]
    after = " ..." if start + _WIDEST < len(line) else ""
    return ("... " if start else "") + text + after, start - (4 if start else 0)
