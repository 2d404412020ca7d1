"""The text of a manifest with the line and column of every key and value, to show errors in their place."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from reconciler.errors import Place, Problem
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.redaction import redact, redact_source_line

if TYPE_CHECKING:
    from reconciler.manifest.masked_source import SourceMask

KeyPath: TypeAlias = tuple[str | int, ...]

NOT_SHOWN = "invalid or not supported; the text is not shown, because the file is outside the repository"
NOT_SHOWN_HINT = "correct the file there, or copy it into the repository to see the whole error"
_MAX_SHOWN_WIDTH = 110  # characters of a source line
_LONGEST_SHOWN = 10_000  # characters of a line that is shown at all: its secrets are looked for in all of it


def format_key_path(path: KeyPath) -> str:
    """Return a key path as text: `environments.web.packages[1]`."""
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
    """A manifest's text, with the place of each key and value.

    `file` is the path as the user wrote it. `values` and `keys` map key paths to places. `written` is the source text
    of the values that YAML does not read as strings (`3.10`, `on`).
    """

    file: str
    sha256: str
    lines: tuple[str, ...]
    values: Mapping[KeyPath, Place] = field(default_factory=dict)
    keys: Mapping[KeyPath, Place] = field(default_factory=dict)
    written: Mapping[KeyPath, str] = field(default_factory=dict)

    def value_place(self, path: KeyPath) -> Place:
        """Return the place of the value at `path`, or of the closest value that contains it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path) or Place(file=self.file, line=1, column=1)

    def key_place(self, path: KeyPath) -> Place:
        """Return the place of the key at `path`, or of its value if it has no key."""
        return self.keys.get(path) or self.value_place(path)

    def place_in_string(self, path: KeyPath, text: str, offset: int, width: int) -> Place:
        """Return the place of `width` characters at `offset` in the string at `path`; all of it if it has escapes."""
        place = self.value_place(path)
        written = self.lines[place.line - 1][place.column - 1 :][: place.width]
        for lead in (0, 1):  # plain, quoted
            if written[lead : len(written) - lead] == text:
                return replace(place, column=place.column + lead + offset, width=max(1, width))
        return place

    def problem(self, message: str, path: KeyPath, *, hint: str, place: Place | None = None) -> Problem:
        """Return a problem at `path`, placed at its value unless `place` is given."""
        return masked_problem(place or self.value_place(path), self._mask(), message, path, hint=hint)

    def hides(self, path: KeyPath) -> bool:
        """Return whether the value at `path` may be a secret, or contains one: a message must not show it."""
        return self._mask().hides(path)

    def _mask(self) -> "SourceMask":
        from reconciler.manifest.masked_source import mask_of  # only for a file with an error, to start quickly

        return mask_of(self.lines)

    def invalid_text(self, error: InvalidTextError, path: KeyPath, text: str) -> Problem:
        """Return the problem for an invalid string `text` at `path`."""
        place = None if error.offset is None else self.place_in_string(path, text, error.offset, error.width)
        return self.problem(error.message, path, hint=error.hint, place=place)


def masked_problem(place: Place, mask: "SourceMask", message: str, path: KeyPath, *, hint: str) -> Problem:
    """Return a problem of a manifest with its source lines, without the values that may be secrets."""
    shown_path = format_key_path(mask.shown_path(path))
    if not (1 <= place.line <= len(mask.lines) and len(mask.lines[place.line - 1]) <= _LONGEST_SHOWN):
        return problem_at(place, (), message, path=shown_path, hint=hint)
    before = mask.line(place.line - 1).text if place.line > 1 else ""
    line = mask.line(place.line)
    texts = ("" if before.lstrip().startswith("#") else before, line.text)
    column, width = line.place(place.column, place.width)
    marked = replace(place, column=column, width=width)
    return replace(_problem_in(marked, texts, message, path=shown_path, hint=hint), place=place)


def problem_at(place: Place, lines: tuple[str, ...], message: str, *, path: str = "", hint: str) -> Problem:
    """Return a problem with its source line and the line before it; long lines are cut, and secrets redacted."""
    texts = None
    if 1 <= place.line <= len(lines):
        texts = (lines[place.line - 2] if place.line > 1 else "", lines[place.line - 1])
    return _problem_in(place, texts, message, path=path, hint=hint)


def _problem_in(place: Place, texts: tuple[str, str] | None, message: str, *, path: str, hint: str) -> Problem:
    """Return a problem; `texts` are the line before it and its line, as they may be shown except for redaction."""
    context: list[tuple[int, str]] = []
    caret = None
    if texts is not None and len(texts[1]) <= _LONGEST_SHOWN:
        before, line = texts
        if len(before) <= _LONGEST_SHOWN and before.strip():
            context.append((place.line - 1, _cut(redact_source_line(before), 0)[0]))
        shown = redact_source_line(line)
        column, width = place.column, place.width
        if shown != line:  # text redacted before the place moves it, and text redacted in it makes it narrower
            if (_words(line[column - 1 :][:width]) - _words(shown)) & _words(hint):
                hint = ""  # it was made from a secret, in a form that no redaction knows
            column = min(len(redact_source_line(line[: place.column - 1])), len(shown)) + 1
            width = max(1, min(width, len(shown) - column + 1))
        text, start = _cut(shown, column - 1)
        context.append((place.line, text))
        caret = (column - start, width)
    return Problem(
        message=redact(message),
        path=redact(path),
        place=place,
        hint=redact(hint) or None,
        context=tuple(context),
        caret=caret,
    )


def unquoted_problem(place: Place) -> Problem:
    """Return the problem of a line in a file whose text must not be shown (see `Reach.may_quote`)."""
    return Problem(message=NOT_SHOWN, place=place, hint=NOT_SHOWN_HINT)


def unquoted_error(shown: str) -> InvalidTextError:
    """Return the error of a file whose text must not be shown; `shown` is its path."""
    return InvalidTextError(f"{shown}: {NOT_SHOWN}", hint=NOT_SHOWN_HINT)


def _words(text: str) -> set[str]:
    return {each.casefold() for each in re.findall(r"[^\W_]{3,}", text)}


def _cut(line: str, column: int) -> tuple[str, int]:
    """Return at most `_MAX_SHOWN_WIDTH` characters of `line` around `column` (from 0), and how far they moved left."""
    line = line.rstrip()
    if len(line) <= _MAX_SHOWN_WIDTH:
        return line, 0
    start = max(0, min(column - _MAX_SHOWN_WIDTH // 3, len(line) - _MAX_SHOWN_WIDTH))
    text = line[start : start + _MAX_SHOWN_WIDTH]
    after = " ..." if start + _MAX_SHOWN_WIDTH < len(line) else ""
    return ("... " if start else "") + text + after, start - (4 if start else 0)
