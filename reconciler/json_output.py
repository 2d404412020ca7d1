"""What may leave through a document: JSON values whose strings hold no secret and are well-formed Unicode."""

import json

from reconciler.canonical_json import Json
from reconciler.manifest.urls import blot_out


def outgoing(value: Json) -> Json:
    """Return `value` with every string, keys too, as `outgoing_text` has it."""
    match value:
        case str():
            return outgoing_text(value)
        case list():
            return [outgoing(each) for each in value]
        case dict():
            return {outgoing_text(key): outgoing(each) for key, each in value.items()}
        case _:
            return value


def outgoing_text(text: str) -> str:
    r"""Return `text` with credentials as `****` and lone surrogates (bytes that are no UTF-8) written out: `\udcff`.

    RFC 7493 forbids lone surrogates in JSON, and many a reader refuses the whole document for one.
    """
    return blot_out(text).encode("utf-8", "backslashreplace").decode("utf-8")


def json_text(document: Json, *, indent: int | None = None) -> str:
    r"""Return a document as ASCII JSON that ends with a line end.

    `##` stands in it as `#\u0023`, which is the same string: `##vso[...]` in a log is a command to a CI system.
    """
    separators = (",", ":") if indent is None else None
    text = json.dumps(document, indent=indent, ensure_ascii=True, separators=separators)
    return text.replace("##", "#\\u0023") + "\n"
