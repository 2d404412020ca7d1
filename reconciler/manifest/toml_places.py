"""The places of keys and list items in the text of a TOML file, which `tomllib` does not report."""

import re

from reconciler.manifest.source_text import KeyPath

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_PLAIN_VALUE = re.compile(r"[^,\]}#\r\n]*")
_STRINGS = (
    re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}', re.DOTALL),
    re.compile(r"'''.*?'{3,5}", re.DOTALL),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)
_ESCAPED = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(["\\]))')


def toml_places(text: str) -> dict[KeyPath, tuple[int, int, int]]:
    """Return line, column (both from 1) and width of each key and list item in `text`, which must be valid TOML.

    A key's place is that of its name. `[[tool.uv.index]]` has the paths `("tool", "uv", "index", 0)`, `1`, and so on. A
    text that this scanner does not understand gives the places before that point.
    """
    scanner = _Scanner(text)
    scanner.document()
    starts = [0, *(found.end() for found in re.finditer("\n", text))]
    places: dict[KeyPath, tuple[int, int, int]] = {}
    line = 0
    for path, (at, width) in sorted(scanner.found.items(), key=lambda each: each[1]):
        while line + 1 < len(starts) and starts[line + 1] <= at:
            line += 1
        places[path] = (line + 1, at - starts[line] + 1, width)
    return places


class _Scanner:
    """Walks through a TOML text and notes where each key and list item starts (offset and width)."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[KeyPath, tuple[int, int]] = {}
        self._counts: dict[KeyPath, int] = {}

    def document(self) -> None:
        table: KeyPath = ()
        while self._skip(_SPACE) < len(self.text):
            before = self.at
            if self.text.startswith("[", self.at):
                table = self._header()
            else:
                self._assignment(table)
            if self.at == before:  # not TOML: tomllib reports what is wrong
                return

    def _header(self) -> KeyPath:
        is_list = self.text.startswith("[[", self.at)
        self.at += 2 if is_list else 1
        keys = self._keys()
        table: KeyPath = ()
        for number, (key, at, width) in enumerate(keys):
            table = (*table, key)
            self.found.setdefault(table, (at, width))
            if number == len(keys) - 1 and is_list:
                self._counts[table] = self._counts.get(table, -1) + 1
            if table in self._counts:
                table = (*table, self._counts[table])
                self.found.setdefault(table, (at, width))
        self.at = min(len(self.text), self._skip(_BLANK) + (2 if is_list else 1))
        return table

    def _assignment(self, table: KeyPath) -> None:
        path = table
        for key, at, width in self._keys():
            path = (*path, key)
            self.found.setdefault(path, (at, width))
        if self.text.startswith("=", self._skip(_BLANK)):
            self.at += 1
            self._value(path)

    def _keys(self) -> list[tuple[str, int, int]]:
        """Read a dotted key: each part with its offset and width."""
        keys: list[tuple[str, int, int]] = []
        while True:
            start = self._skip(_BLANK)
            if bare := _BARE.match(self.text, start):
                key, self.at = bare.group(), bare.end()
            elif end := self._string_end():
                key = _unquoted(self.text[start:end])
                self.at = end
            else:
                return keys
            keys.append((key, start, self.at - start))
            if not self.text.startswith(".", self._skip(_BLANK)):
                return keys
            self.at += 1

    def _value(self, path: KeyPath) -> None:
        start = self._skip(_BLANK)
        if end := self._string_end():
            self.at = end
        elif self.text.startswith("[", start):
            self._members("]", path)
        elif self.text.startswith("{", start):
            self._members("}", path)
        else:
            self._skip(_PLAIN_VALUE)

    def _members(self, closing: str, path: KeyPath) -> None:
        """Read the items of a list or the keys of an inline table."""
        self.at += 1
        number = 0
        while (start := self._skip(_SPACE)) < len(self.text) and not self.text.startswith(closing, start):
            if closing == "]":
                self._value((*path, number))
                self.found[(*path, number)] = (start, max(1, len(self.text[start : self.at].rstrip().split("\n")[0])))
                number += 1
            else:
                self._assignment(path)
            if self.text.startswith(",", self._skip(_SPACE)):
                self.at += 1
            elif self.at == start:
                return
        self.at += 1

    def _string_end(self) -> int:
        """Return the offset after the string that starts here, 0 if none does."""
        return next((found.end() for each in _STRINGS if (found := each.match(self.text, self.at))), 0)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        if found := pattern.match(self.text, self.at):
            self.at = found.end()
        return self.at


def _unquoted(text: str) -> str:
    """Return the text of a quoted key; rare escapes stay as written."""
    inner = text[1:-1]
    if text[0] == "'":
        return inner
    return _ESCAPED.sub(lambda each: each[3] or chr(int(each[1] or each[2], 16)), inner)
