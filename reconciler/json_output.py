"""JSON that may leave the program: its strings contain no credentials and no lone surrogates."""

import json
from collections.abc import Callable, Iterable

from reconciler.canonical_json import Json
from reconciler.redaction import redact


def safe_json(value: Json, *, sentence: Callable[[str], str] = str) -> Json:
    """Return `value` with every string in it made safe by `safe_text`, including the keys of objects.

    `sentence` changes each string that is not a key before that.
    """
    match value:
        case str():
            return safe_text(sentence(value))
        case list():
            return [safe_json(each, sentence=sentence) for each in value]
        case dict():
            return {safe_text(key): safe_json(each, sentence=sentence) for key, each in value.items()}
        case _:
            return value


def safe_text(text: str) -> str:
    r"""Return `text` with credentials replaced by `****`, and lone surrogates escaped as text: `\udcff`.

    A lone surrogate is a byte that is not valid UTF-8. RFC 7493 forbids them in JSON, and many readers refuse the whole
    document because of one.
    """
    return redact(text).encode("utf-8", "backslashreplace").decode("utf-8")


def json_text(document: Json, *, indent: int | None = None) -> str:
    r"""Return a document as ASCII JSON that ends with a newline.

    `##` is written as `#\u0023`, which is the same string, because `##vso[...]` in a log is a command to a CI system.
    """
    separators = (",", ":") if indent is None else None
    text = json.dumps(document, indent=indent, separators=separators)
    return text.replace("##", "#\\u0023") + "\n"


def json_array(values: Iterable[Json]) -> str:
    """Return `values`, each made safe by `safe_json`, as an indented JSON array that ends with a newline."""
    return json_text([safe_json(each) for each in values], indent=2)
