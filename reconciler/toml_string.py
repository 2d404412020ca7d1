"""Writes text as a TOML string."""

import json


def toml_string(text: str) -> str:
    """Return `text` as a basic string of TOML, with its quotes.

    The escapes of JSON are those of TOML, except for DEL. Characters outside ASCII stay as they are: JSON would write
    some of them as two escapes (surrogates), which TOML forbids.
    """
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
