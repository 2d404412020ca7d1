"""Masks the text of a manifest, so that no error quotes a value that may be a secret.

The places of values come from the parser's events. A file that is not valid YAML has none after its error, and those
before it may be wrong: a quote that is not closed moves them. So its lines are also read as text (`masked_lines`).
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from reconciler.manifest.hints import closest_match
from reconciler.manifest.masked_lines import mask_lines
from reconciler.manifest.secret_places import (
    is_entry,
    is_in_section,
    is_shown_key,
    may_be_secret,
    shows_key,
)
from reconciler.manifest.source_text import KeyPath
from reconciler.manifest.yaml_document import MOST_VALUES
from reconciler.redaction import REDACTED

_MAX_DEPTH = 40  # more than a manifest may have
_MOST_EVENTS = 2 * MOST_VALUES  # the end of a list or mapping is one too
_PROBES_WITHOUT_ARGUMENTS = ("dependencies",)
_KEY_WITHOUT_SPACE = re.compile(r"([a-z_]+):[^\s:]*")  # `python:"3.12"` in the place of an environment
_NO_TEXT = "?"


@dataclass(frozen=True, slots=True)
class _Token:
    """A part of one line: the text of a key or a value; columns count from 0."""

    start: int
    end: int
    masked: bool


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end is not read yet; `key` is the key whose value comes next, in line `key_line`.

    `line` is that of its own key. Lines count from 0.
    """

    path: KeyPath
    line: int
    is_list: bool
    count: int = 0
    key: str | None = None
    key_line: int | None = None


@dataclass(frozen=True, slots=True)
class MaskedLine:
    """A line to show: its text, and which part of it stands for which part of the line in the file."""

    text: str
    pieces: tuple[tuple[int, int, int], ...] = ()  # the column in the text; the columns in the file (start, end)

    def place(self, column: int, width: int) -> tuple[int, int]:
        """Return where a place (column from 1, width) of the file's line is in the text."""
        if not self.pieces:
            return column, width
        for start, before, end in self.pieces:
            if before <= column - 1 < end:
                return start + 1, len(REDACTED)
        moved = column
        for start, before, end in self.pieces:
            if end <= column - 1:
                moved = column + start + len(REDACTED) - end
            elif before < column - 1 + width:  # the place contains what is masked
                width += len(REDACTED) - (min(end, column - 1 + width) - before)
        moved = max(1, min(moved, len(self.text)))
        return moved, max(1, min(width, len(self.text) - moved + 1))


@dataclass(slots=True)
class SourceMask:
    """What may be shown of a manifest with these lines."""

    lines: tuple[str, ...]
    _tokens: dict[int, list[_Token]] = field(default_factory=dict)
    _section_lines: set[int] = field(default_factory=set)  # numbers of the lines of values with secrets
    _masked: set[KeyPath] = field(default_factory=set)
    _shown: set[KeyPath] = field(default_factory=set)
    _masked_keys: set[KeyPath] = field(default_factory=set)
    _above: set[KeyPath] = field(default_factory=set)  # what contains values that are masked
    _stack: list[_Open] = field(default_factory=list)
    _as_text: list[str] | None = None
    _shown_lines: dict[int, MaskedLine] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the places of all values."""
        loader = yaml.CSafeLoader("\n".join(self.lines))
        try:
            self._events(loader)
        except (yaml.YAMLError, _TooLargeError):
            self._as_text = mask_lines(self.lines)
        finally:
            loader.dispose()

    def _events(self, loader: yaml.CSafeLoader) -> None:
        for _ in range(_MOST_EVENTS):
            if not loader.check_event():
                return
            self._event(loader.get_event())
        raise _TooLargeError

    def hides(self, path: KeyPath) -> bool:
        """Return whether the value at a key path may be a secret, or contains one."""
        if path in self._above or path in self._masked:
            return True
        return path not in self._shown and is_in_section(path) and may_be_secret(path)

    def shown_path(self, path: KeyPath) -> KeyPath:
        """Return a key path without the keys that may be parts of values."""
        shown: list[str | int] = []
        for at, part in enumerate(path):
            masked = path[: at + 1] in self._masked_keys or (isinstance(part, str) and not shows_key(path[: at + 1]))
            shown.append(REDACTED if masked else part)
        return tuple(shown)

    def line(self, number: int) -> MaskedLine:
        """Return the line to show for a line of the file; `number` counts from 1."""
        if number not in self._shown_lines:  # one line may have thousands of errors
            self._shown_lines[number] = self._masked_line(number)
        return self._shown_lines[number]

    def _masked_line(self, number: int) -> MaskedLine:
        raw = self.lines[number - 1]
        if self._as_text is not None and self._as_text[number - 1] != raw:
            text = self._as_text[number - 1]
            return MaskedLine(text, ((len(text) - len(REDACTED), len(text) - len(REDACTED), len(raw) + 1),))
        tokens = sorted(self._tokens.get(number, ()), key=lambda each: each.start)
        if number not in self._section_lines and not any(each.masked for each in tokens):
            return MaskedLine(raw)
        text, at, pieces = "", 0, []
        for token in (*tokens, _Token(len(raw), len(raw), masked=False)):
            between = raw[at : token.start]
            comment = between.find("#")
            if comment >= 0:
                text += between[: comment + 1] + " "
                pieces.append((len(text), at + comment + 1, len(raw)))
                return MaskedLine(text + REDACTED, tuple(pieces))
            text += between
            if token.masked:
                pieces.append((len(text), token.start, token.end))
            text += REDACTED if token.masked else raw[token.start : token.end]
            at = max(at, token.end)
        return MaskedLine(text, tuple(pieces))

    def _event(self, event: Any) -> None:
        match event:
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._start(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._end(event)
            case yaml.ScalarEvent() | yaml.AliasEvent():
                self._leaf(event)
            case _:
                pass  # the start and end of the stream and of a document

    def _start(self, event: Any) -> None:
        if len(self._stack) == _MAX_DEPTH:
            raise _TooLargeError
        path, parent = self._path(), self._stack[-1] if self._stack else None
        if parent and not parent.is_list and parent.key is None:
            path = (*parent.path, _NO_TEXT)  # a list or mapping as a key
        line = event.start_mark.line
        if event.anchor or event.tag:
            self._token(line, event.start_mark.column, self._end_of_properties(event), masked=is_in_section(path))
        above = parent.key_line if parent else None
        is_list = isinstance(event, yaml.SequenceStartEvent)
        self._stack.append(_Open(path=path, line=line if above is None else above, is_list=is_list))

    def _end(self, event: Any) -> None:
        closed = self._stack.pop()
        if closed.path not in self._above:
            self._shown.add(closed.path)  # nothing in it is masked
        if is_in_section(closed.path):
            self._section_lines.update(range(closed.line + 1, max(closed.line + 1, event.end_mark.line) + 1))
        self._next()

    def _end_of_properties(self, event: Any) -> int:
        text, at = self.lines[event.start_mark.line], event.start_mark.column
        while at < len(text) and text[at] in "&!":
            while at < len(text) and not text[at].isspace():
                at += 1
            at += len(text[at:]) - len(text[at:].lstrip())
        return len(text[:at].rstrip())

    def _leaf(self, event: Any) -> None:
        parent = self._stack[-1] if self._stack else None
        value = "" if isinstance(event, yaml.AliasEvent) else event.value
        if parent and not parent.is_list and parent.key is None:
            path = (*parent.path, value)
            masked = may_be_secret(path) and not (shows_key(path) and self._is_key(event, value))
            if masked:
                self._masked_keys.add(path)
            parent.key, parent.key_line = value, event.start_mark.line
            self._span(event, masked=masked)
            return
        path = self._path()
        masked = may_be_secret(path) and not _may_be_shown(path, event)
        if not masked:
            self._shown.add(path)
        else:
            self._masked.add(path)
            self._above.update(path[:length] for length in range(len(path)))
            first = event.start_mark.line if parent is None or parent.key_line is None else parent.key_line
            self._section_lines.update(range(first + 1, event.end_mark.line + 2))
        self._span(event, masked=masked)
        self._next()

    def _is_key(self, event: Any, value: str) -> bool:
        """Return whether a key is written as a key, with a colon: the second half of `{A: one,two}` is not."""
        start, end = event.start_mark, event.end_mark
        if start.line != end.line:
            return False
        line = self.lines[start.line]
        written = line[start.column : end.column]
        return value in {written, written[1:-1]} and line[end.column :].lstrip().startswith(":")

    def _span(self, event: Any, *, masked: bool) -> None:
        start, end = event.start_mark, event.end_mark
        for number in range(start.line, min(end.line, len(self.lines) - 1) + 1):
            line = self.lines[number]
            first = start.column if number == start.line else len(line) - len(line.lstrip())
            last = end.column if number == end.line else len(line)
            # A line of a plain text may belong to a line before it that was removed, and not to this value.
            continues = number > start.line and isinstance(event, yaml.ScalarEvent) and not event.style
            self._token(number, first, last, masked=masked or continues)

    def _token(self, line: int, start: int, end: int, *, masked: bool) -> None:
        if end > start:
            self._tokens.setdefault(line + 1, []).append(_Token(start, end, masked))

    def _path(self) -> KeyPath:
        if not self._stack:
            return ()
        parent = self._stack[-1]
        return (*parent.path, parent.count if parent.is_list else str(parent.key))

    def _next(self) -> None:
        """Go on to the next item or key of what is open."""
        if not self._stack:
            return
        parent = self._stack[-1]
        parent.count += 1
        if not parent.is_list and parent.key is None:
            parent.key, parent.key_line = _NO_TEXT, None  # it was a list or mapping as a key
        else:
            parent.key = None


def _may_be_shown(path: KeyPath, event: Any) -> bool:
    """Return whether a value is not a secret, although its place may have one."""
    if isinstance(event, yaml.AliasEvent):
        return is_entry(path)  # the name of an anchor, and not a value that begins with `*`
    if path[-2:-1] == ("probes",):
        return closest_match(event.value, _PROBES_WITHOUT_ARGUMENTS) is not None
    key = _KEY_WITHOUT_SPACE.fullmatch(event.value) if is_entry(path) else None
    return key is not None and is_shown_key(key[1])


class _TooLargeError(ValueError):
    """A file has more values, or is nested deeper, than any manifest may be."""


_last: list[SourceMask] = []


def mask_of(lines: tuple[str, ...]) -> SourceMask:
    """Return the mask of a manifest; that of the last one is kept, because one file may have thousands of errors."""
    if not _last or _last[0].lines is not lines:
        _last[:] = [SourceMask(lines)]
    return _last[0]
