r"""Encode strings for a snapshot and decode them: secrets are redacted, and bytes that are not UTF-8 survive.

If a file's name is not valid UTF-8, its Python string has lone surrogates, which RFC 7493 forbids in JSON. A snapshot
has them as escapes (`\udcff`), and a backslash as two backslashes, so that the two cannot be confused.
"""

import re
from collections.abc import Mapping

from reconciler.canonical_json import Json
from reconciler.diff.masking import NO_KEY, masked_settings
from reconciler.json_output import safe_json
from reconciler.redaction import redact

_TO_ESCAPE = re.compile("[\ud800-\udfff\\\\]")
_ESCAPE = re.compile(r"\\(?:(?P<backslash>\\)|u(?P<surrogate>d[89a-f][0-9a-f]{2})|)")


def encode_json(value: Json) -> Json:
    """Return `value` with every string in it encoded, including the keys of objects."""
    match value:
        case str():
            return encode_string(value)
        case list():
            return [encode_json(each) for each in value]
        case dict():
            return {encode_string(key): encode_json(each) for key, each in value.items()}
        case _:
            return value


def encode_string(text: str) -> str:
    """Return a string as a snapshot has it: credentials redacted, surrogates and backslashes escaped."""
    return _TO_ESCAPE.sub(_escape, redact(text))


def decode_string(text: str) -> str:
    """Return the string that `encode_string` encoded; raises ValueError for text that it cannot return."""
    return _ESCAPE.sub(_unescape, text) if "\\" in text else text


def redact_settings(settings: Mapping[str, Json]) -> dict[str, Json]:
    """Return an environment's settings with `****` for all that is not public, and for credentials in URLs.

    A snapshot has no digests of them: the machine that judges it has no key to compare them with.
    """
    redacted = safe_json(masked_settings(settings, mask=NO_KEY))
    return redacted if isinstance(redacted, dict) else {}


def _escape(found: re.Match[str]) -> str:
    return "\\\\" if found.group() == "\\" else f"\\u{ord(found.group()):04x}"


def _unescape(found: re.Match[str]) -> str:
    if found["backslash"]:
        return "\\"
    if found["surrogate"]:
        return chr(int(found["surrogate"], 16))
    raise ValueError(r"a backslash must be written as \\ in a snapshot")
