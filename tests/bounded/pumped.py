"""Texts that make a backtracking matcher slow, derived from a regular expression: what it repeats, repeated."""

import re
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

_MANY = 200  # a repeat with a smaller maximum cannot take long alone
_COMMON = ("a", " ", "0")
_MOST_LETTERS = 6
_ENDS = ("\x00", "\n!", "!")


def pumped(pattern: "re.Pattern[str] | re.Pattern[bytes]", length: int) -> Iterator[str]:
    """Yield texts of about `length` characters: beginning, repeated part, and an end that does not match."""
    flags = pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags
    tree = parser.parse(pattern.pattern, flags)
    parts: dict[tuple[str, str], None] = {}
    for before, body in _repeats(tree):
        for start in dict.fromkeys((before, "")):
            parts[start, body] = None
    letters = list(dict.fromkeys([*_letters(tree), *_COMMON]))[:_MOST_LETTERS]
    starts = list(dict.fromkeys(["", *(before for before, _ in parts)]))[:4]
    for start in starts:
        for each in (*letters, *("".join(pair) for pair in product(letters, repeat=2) if pair[0] != pair[1])):
            parts[start, each] = None
    for (start, body), end in product(parts, _ENDS):
        if body:
            yield start + body * (length // len(body)) + end


def _repeats(tree: Iterable[Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Yield what comes before each long repeat, and texts that one round of it matches."""
    for operator, argument in tree:
        name = str(operator)
        if name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            _, most, inside = argument
            if int(most) >= _MANY:
                for body in _samples(inside):
                    yield before, body
            yield from _repeats(inside, before)
        else:
            for inside in _inner(name, argument):
                yield from _repeats(inside, before)
        before += _sample(operator, argument)


def _inner(name: str, argument: Any) -> list[Any]:
    match name:
        case "SUBPATTERN":
            return [argument[-1]]
        case "BRANCH":
            return list(argument[1])
        case "ASSERT" | "ASSERT_NOT":
            return [argument[1]]
        case "ATOMIC_GROUP":
            return [argument]
        case "GROUPREF_EXISTS":
            return [each for each in argument[1:] if each is not None]
        case _:
            return []


def _samples(tree: Iterable[Any]) -> list[str]:
    """Return up to eight texts that match a sequence, by the characters and branches in it."""
    found = [""]
    for operator, argument in tree:
        name = str(operator)
        match name:
            case "IN" | "NOT_LITERAL" | "ANY" | "LITERAL":
                choices = _characters(name, argument)[:3]
            case "BRANCH":
                choices = [text for each in argument[1] for text in _samples(each)[:2]]
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                inner = _samples(argument[2])
                choices = [each * max(1, int(argument[0])) for each in inner[:3]] + ([""] if argument[0] == 0 else [])
            case "SUBPATTERN" | "ATOMIC_GROUP":
                choices = _samples(_inner(name, argument)[0])
            case _:
                choices = [""]
        found = [start + each for start in found for each in choices or [""]][:8]
    return found


def _sample(operator: Any, argument: Any) -> str:
    """Return a shortest text that matches one element."""
    match str(operator):
        case "LITERAL":
            return chr(argument)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return "".join(_sample(*each) for each in argument[2]) * min(int(argument[0]), 3)
        case "SUBPATTERN":
            return "".join(_sample(*each) for each in argument[-1])
        case "ATOMIC_GROUP":
            return "".join(_sample(*each) for each in argument)
        case "BRANCH":
            return "".join(_sample(*each) for each in argument[1][0])
        case "IN" | "NOT_LITERAL" | "ANY" as name:
            return _characters(name, argument)[0]
        case _:
            return ""


def _characters(name: str, argument: Any) -> list[str]:
    """Return some characters that match one character of a pattern."""
    if name == "LITERAL":
        return [chr(argument)]
    candidates = ["a", "0", " ", ".", "-", "/", "_", "A", "f", ",", "\t", "=", "@", ":", "`", "~", "é"]
    if name == "ANY":
        return candidates[:3]
    if name == "NOT_LITERAL":
        return [each for each in candidates if ord(each) != argument][:3]
    written = [
        chr(each)
        for kind, value in argument
        if str(kind) in {"LITERAL", "RANGE"}
        for each in (value if isinstance(value, tuple) else (value,))
    ]
    one = re.compile(_class(argument))
    return [each for each in dict.fromkeys([*written, *candidates]) if one.fullmatch(each)] or ["a"]


def _class(items: Any) -> str:
    text = ""
    for kind, value in items:
        match str(kind):
            case "NEGATE":
                text += "^"
            case "LITERAL":
                text += re.escape(chr(value))
            case "RANGE":
                text += f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
            case _:
                text += {
                    "CATEGORY_DIGIT": r"\d", "CATEGORY_NOT_DIGIT": r"\D", "CATEGORY_SPACE": r"\s",
                    "CATEGORY_NOT_SPACE": r"\S", "CATEGORY_WORD": r"\w", "CATEGORY_NOT_WORD": r"\W",
                }[str(value)]  # fmt: skip
    return f"[{text}]"


def _letters(tree: Iterable[Any]) -> Iterator[str]:
    """Yield one or two characters for each element of a pattern that matches a character."""
    for operator, argument in tree:
        name = str(operator)
        if name in {"LITERAL", "IN", "NOT_LITERAL", "ANY"}:
            yield from _characters(name, argument)[:2]
        elif name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            yield from _letters(argument[2])
        else:
            for inside in _inner(name, argument):
                yield from _letters(inside)
