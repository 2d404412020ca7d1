r"""Strings on their way out of a host and back: no secret, and every byte that is no UTF-8 comes back as it was.

A file's name may be no UTF-8; Python then has a lone surrogate in it, which RFC 7493 forbids in JSON. In a snapshot it
is written out (`\udcff`), and so that this can be told from a name that reads so, a backslash is written twice.
"""

import re
from collections.abc import Mapping

from reconciler.canonical_json import Json
from reconciler.json_output import outgoing
from reconciler.manifest.urls import blot_out, named_like_a_secret

_ODD = re.compile("[\ud800-\udfff\\\\]")
_WRITTEN = re.compile(r"\\(?:(?P<backslash>\\)|u(?P<surrogate>d[89a-f][0-9a-f]{2})|)")
_BLOT = "****"


def leaving(value: Json) -> Json:
    """Return `value` with every string, keys too, as it is written into a snapshot."""
    match value:
        case str():
            return leaving_text(value)
        case list():
            return [leaving(each) for each in value]
        case dict():
            return {leaving_text(key): leaving(each) for key, each in value.items()}
        case _:
            return value


def leaving_text(text: str) -> str:
    """Return one string as it is written into a snapshot."""
    return _ODD.sub(_written, blot_out(text))


def arriving_text(text: str) -> str:
    """Return the string that was written so; raises ValueError for one that `leaving_text` does not write."""
    return _WRITTEN.sub(_read, text) if "\\" in text else text


def leaving_settings(settings: Mapping[str, Json]) -> dict[str, Json]:
    """Return an environment's settings without secrets: those in URLs, and variables that are named like one."""
    left = outgoing(dict(settings))
    variables = left.get("env") if isinstance(left, dict) else None
    if not isinstance(left, dict) or not isinstance(variables, dict):
        return left if isinstance(left, dict) else {}
    hidden = {name: _BLOT if named_like_a_secret(name) else value for name, value in variables.items()}
    return {**left, "env": hidden}


def _written(found: re.Match[str]) -> str:
    return "\\\\" if found.group() == "\\" else f"\\u{ord(found.group()):04x}"


def _read(found: re.Match[str]) -> str:
    if found["backslash"]:
        return "\\"
    if found["surrogate"]:
        return chr(int(found["surrogate"], 16))
    raise ValueError(r"a backslash is written \\ in a snapshot")
