"""Documents with one value at its largest: every text with texts that are hard to read, every list at its longest."""

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]

# What is repeated, after a beginning and before an end that may spoil the match of what came before.
FILLINGS: dict[str, tuple[str, str, str]] = {
    "letters": ("", "a", ""),
    "letters, spoilt": ("a", "a", "!"),
    "digits": ("", "1", ""),
    "a version": ("a==1", ".1", ""),
    "version parts, spoilt": ("1", ".1", "!"),
    "specifiers": ("a", ">=1,", ">=1"),
    "wildcards": ("", "*a", ""),
    "stars": ("", "**/", "x"),
    "spaces": ("", " ", ""),
    "spaces inside": ("a", " ", "b"),
    "tabs": ("a", "\t", "!"),
    "line ends": ("a", "\n", "b"),
    "lines": ("", "a\n", ""),
    "dots": ("", ".", ""),
    "dotted words": ("a", ".a", "!"),
    "dashes": ("a", "-", "a"),
    "underscores": ("a", "_-", "!"),
    "commas": ("a", ",", "a"),
    "slashes": ("/", "/", ""),
    "parents": ("", "../", "a"),
    "directories": ("./", "a/", ""),
    "absolute directories": ("/", "a/", ""),
    "open brackets": ("a", "[", ""),
    "brackets": ("a", "[a]", ""),
    "round brackets": ("a; ", "(", ""),
    "nested brackets": ("a; ", "(", "os_name == 'a'"),
    "braces": ("", "{", ""),
    "placeholders": ("a==", "{a}", ""),
    "quotes": ("'", "'", ""),
    "double quotes": ('"', '"', ""),
    "backslashes": ("", "\\", ""),
    "escaped quotes": ('"', '\\"', ""),
    "percent signs": ("", "%", ""),
    "escapes of a URL": ("https://a/", "%2e", ""),
    "hashes": ("a", " #", "\n"),
    "a URL": ("https://", "a", "/"),
    "a long host": ("https://", "a.", "example/"),
    "users of a URL": ("https://", "a:b@", "c/"),
    "URLs": ("", "https://a:b@c ", ""),
    "parameters": ("https://a/?", "token=b&", ""),
    "a direct URL": ("a @ https://a/", "b", " ; os_name == 'a'"),
    "a git URL": ("git+https://a/b@", "c@", ""),
    "a marker": ("a; ", "os_name == 'a' or ", "os_name == 'a'"),
    "markers in brackets": ("a; ", "(os_name == 'a') and ", "os_name"),
    "extras": ("a[", "b,", "b]"),
    "options": ("", "--hash=sha256:a ", ""),
    "settings": ("", "password = ", ""),
    "durations": ("", "1h", ""),
    "dates": ("", "2026-01-01", ""),
    "backticks": ("", "`", ""),
    "control characters": ("", "\u2028", ""),
    "wide characters": ("", "\U0001f600", ""),
    "combining characters": ("a", "\u0301", ""),
}


def filled(name: str, length: int) -> str:
    """Return a text of about `length` characters."""
    before, repeated, after = FILLINGS[name]
    return before + repeated * max(1, (length - len(before) - len(after)) // len(repeated)) + after


def places(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every value in a document, with its path; of equal paths in a list, only those in its first two items."""
    yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


def changes(document: Any, length: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield a name and a function for every value: it returns `document` with about `length` characters there."""
    for path, value in places(document):
        shown = ".".join(map(str, path)) or "all of it"
        for name, make in _large(value, length):
            yield f"{shown}: {name}", partial(_changed, document, path, make)
        for depth in (300, 900, length // 2) if path else ():
            yield f"{shown}: nested {depth} times", partial(put, document, path, Nested(depth))


def _changed(document: Any, path: Path, make: Callable[[], Any]) -> Any:
    return put(document, path, make())


def _large(value: Any, length: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield names of large values of the kind of `value`, and functions that make them."""
    match value:
        case str():
            for name in FILLINGS:
                yield name, partial(filled, name, length)
        case list():
            for number, item in enumerate([*value[:2], "a", [], {}, None]):
                yield f"items ({number})", partial(_items, item, length)
                if isinstance(item, str):
                    yield f"different items ({number})", partial(_different_items, item, length)
        case dict():
            for number, item in enumerate([*list(value.values())[:2], "a", [], {}, None]):
                yield f"keys ({number})", partial(_keys, value, item, length)
            yield "a long key", partial(dict, value, **{"k" * length: "a"})
        case int() | float() if not isinstance(value, bool):
            yield "digits", partial(Digits, length)
        case _:
            yield "a text", partial(filled, "letters", length)


def _items(item: Any, length: int) -> list[Any]:
    return [item] * max(1, length // (len(to_json(item)) + 2))


def _different_items(item: str, length: int) -> list[str]:
    return [f"{item}{number}" for number in range(max(1, length // (len(item) + 9)))]


def _keys(value: dict[str, Any], item: Any, length: int) -> dict[str, Any]:
    return value | {f"k{number}": item for number in range(max(1, length // (len(to_json(item)) + 12)))}


def put(document: Any, path: Path, value: Any) -> Any:
    """Return a copy of a document with another value at a path."""
    if not path:
        return value
    changed = copy.copy(document)
    changed[path[0]] = put(document[path[0]], path[1:], value)
    return changed


@dataclass(frozen=True, slots=True)
class Digits:
    """A number of so many digits."""

    length: int


@dataclass(frozen=True, slots=True)
class Nested:
    """So many lists in each other."""

    depth: int


def to_json(document: Any) -> str:
    """Return a document as JSON, with a line for every item."""
    found: dict[str, str] = {}

    def default(value: Any) -> str:
        if not isinstance(value, Digits | Nested):  # a date of YAML
            return str(value)
        key = f"raw{len(found)}"
        raw = "1" * value.length if isinstance(value, Digits) else "[" * value.depth + "]" * value.depth
        found[f'"{key}"'] = raw
        return key

    text = json.dumps(document, indent=0, default=default, ensure_ascii=False)
    for key, raw in found.items():
        text = text.replace(key, raw)
    return text
