"""Masks the lines of a manifest that is not valid YAML, so that no error quotes a value that may be a secret.

Such a file has no key paths. A line is shown if it begins with a key whose value is never a secret, and all keys around
it are such keys: those of the lines before it that are indented less. In doubt a line is masked after its key.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.manifest.secret_places import SECTIONS, is_key_of_section, is_shown_key
from reconciler.redaction import REDACTED

_ENTRIES = ("environments", "templates")
_LINE = re.compile(r"(?P<lead>[ \t]*(?:-[ \t]+)*)(?:(?P<key>[A-Za-z_][\w.-]{0,99}|<<):(?=[ \t]|$))?", re.ASCII)
_KEY_WITHOUT_SPACE = re.compile(r"[ \t]*([a-z_]+):(?=[^\s/])")
_KEYS_INSIDE = re.compile(r"([^\s,\[{}\]:]{0,200})[ \t]{0,9}:(?=[\s,\[{}\]]|$)")
_MOST_NAMES = 500  # characters before a key that are looked at
_NAMES_OF_USERS = re.compile(r"\b(?:matrix|labels):[ \t]{1,9}\{[^{}]{0,400}\Z")
_MAPPING = re.compile(r"\s*\{\s*(?:\}|[\"']?[\w-]{1,100}[\"']?:(?=[\s{\[]|$)|$)")
_SECTION_WITHOUT_COLON = re.compile(rf"(?<![\w-])(?:{'|'.join(sorted(SECTIONS))})[\"']?(?=[ \t{{\[])")
_TOKEN_STARTS = frozenset(":,[{-?")


def mask_lines(lines: Sequence[str]) -> list[str]:
    """Return the lines with `****` in place of whatever may be a secret; keys and indentation are kept."""
    reader = _Reader()
    return [reader.mask(line) for line in lines]


@dataclass(frozen=True, slots=True)
class _Key:
    """A key of a line before the present one, with its indentation; `has_value` is whether its value is in its line."""

    name: str
    indent: int
    is_shown: bool
    has_value: bool


class _Reader:
    """Reads lines one after the other."""

    def __init__(self) -> None:
        self._around: list[_Key] = []
        self._value = _Value(-1)  # of the last key outside of what is masked
        self._masked: _Value | None = None

    def mask(self, line: str) -> str:
        text = line.strip()
        found = _LINE.match(line)
        assert found is not None  # noqa: S101  # all parts of the expression are optional
        lead, key = found["lead"], found["key"]
        indent = len(line) - len(line.lstrip(" \t"))
        if self._masked is not None:
            if not self._masked.ends_at(line, indent, is_key=bool(key) and self._is_clear(str(key), indent, text)):
                if text.startswith("#"):
                    return f"{line[:indent]}# {REDACTED}"
                shows_key = key and is_key_of_section(key) and not self._masked.is_open
                self._masked.read(line)
                return _masked(line, found.end() if shows_key else indent)
            self._masked = None
        if text.startswith("#"):
            return f"{line[:indent]}# {REDACTED}"
        if not text:
            return line
        rest = line[found.end() :]
        if key:
            shown = self._enter(key, len(lead), text)
        elif without_space := _KEY_WITHOUT_SPACE.match(line):
            shown = self._is_clear(without_space[1], indent, text)
        else:
            shown = self._is_item(indent, text)
        cut = self._first_doubt(rest, key) if shown else 0
        if shown and cut is None:
            self._value = _Value(indent) if key else self._value
            self._value.read(rest)
            return line
        self._masked = _Value(indent)
        self._masked.read(rest[cut:])
        if not shown and not (key and is_key_of_section(key)):
            return _masked(line, indent)
        return _masked(line, len(line) - len(rest) + (cut or 0))

    def _enter(self, key: str, indent: int, text: str) -> bool:
        """Return whether the value of a key may be shown, and remember the key for the lines below it."""
        shown = self._is_clear(key, indent, text)
        self._around = [each for each in self._around if each.indent < indent]
        rest = text.partition(f"{key}:")[2].strip()
        self._around.append(_Key(key, indent, shown, has_value=bool(rest) and not rest.startswith("#")))
        return shown

    def _is_clear(self, key: str, indent: int, text: str) -> bool:
        around = [each for each in self._around if each.indent < indent]
        if not all(each.is_shown for each in around):
            return False
        if around and around[-1].name in _ENTRIES:
            return key not in SECTIONS and (text.endswith(":") or _MAPPING.match(text, len(key) + 1) is not None)
        return is_shown_key(key)

    def _is_item(self, indent: int, text: str) -> bool:
        """Return whether a line without a key may be shown: an item of a list, or the end of one."""
        if text in {"---", "..."}:
            return True
        if not text.startswith("-") and not self._value.is_open:
            return False  # the next line of a text
        above = [each for each in self._around if each.indent < indent or (each.indent == indent and text[0] in "-]}")]
        if not above or above[-1].name in _ENTRIES:
            return False
        # A second barrier: the lines below a key that is not shown should be masked already.
        return (not above[-1].has_value or self._value.is_open) and all(each.is_shown for each in above)

    def _first_doubt(self, rest: str, key: str | None) -> int | None:
        """Return where the value of a key contains a key whose value may be a secret, None if it contains none."""
        in_brackets = rest.lstrip()[:1] in {"[", "{"}
        lost = _SECTION_WITHOUT_COLON.search(rest) if in_brackets else None
        found = [] if lost is None else [lost.end()]
        in_doubt = self._first_key_in_doubt(rest, key, in_brackets=in_brackets)
        return min([*found, *([] if in_doubt is None else [in_doubt])], default=None)

    def _first_key_in_doubt(self, rest: str, key: str | None, *, in_brackets: bool) -> int | None:
        whole = f"{key}:{rest}"
        for inside in _KEYS_INSIDE.finditer(rest):
            name = inside[1].strip("\"'")
            if name in SECTIONS:
                return inside.end()
            # The keys of an environment or a variant are looked at as well. A variable has a mapping by mistake.
            opens_mapping = name.islower() and _MAPPING.match(rest, inside.end()) is not None
            if not in_brackets or opens_mapping or is_shown_key(name):
                continue
            end = len(whole) - len(rest) + inside.start()
            if _NAMES_OF_USERS.search(whole, max(0, end - _MOST_NAMES), end) is None:
                return inside.start()
        return None


class _Value:
    """The lines of one value: those that are indented further, and those that continue its brackets or quotes."""

    def __init__(self, indent: int) -> None:
        self._indent = indent
        self._depth = 0
        self._quote = ""

    @property
    def is_open(self) -> bool:
        """Whether brackets or quotes are open."""
        return self._depth > 0 or bool(self._quote)

    def ends_at(self, line: str, indent: int, *, is_key: bool) -> bool:
        """Return whether a line begins a different value; `is_key` is whether it begins with a key that is shown."""
        if self.is_open or not line.strip() or line.lstrip().startswith("#"):
            return False
        return indent <= self._indent and is_key

    def read(self, text: str) -> None:
        """Count the brackets that are open, and the quote that does not end, after some text of the value."""
        last, at = ":", 0
        while at < len(text):
            character = text[at]
            if self._quote:
                if character == "\\" and self._quote == '"':
                    at += 1
                elif character == self._quote:
                    self._quote, last = "", character
            elif character in "\"'" and last in _TOKEN_STARTS:
                self._quote = character
            elif character == "#" and (at == 0 or text[at - 1].isspace()):
                return
            else:
                self._depth = max(0, self._depth + (character in "[{") - (character in "]}"))
                last = last if character.isspace() else character
            at += 1


def _masked(line: str, start: int) -> str:
    if not line[start:].strip():
        return line
    kept = line[:start]
    return f"{kept}{'' if not kept or kept[-1].isspace() else ' '}{REDACTED}"
