"""Writes plain values as YAML in one line, for hints: text is quoted if YAML could read it as anything else."""

import json
import re

# Text that YAML 1.1 and 1.2 read as the same string inside of brackets.
_PLAIN = re.compile(r"[A-Za-z._/-]?[A-Za-z_/][\w./<>=~*+-]*|-{1,2}[A-Za-z][\w-]*|\.{1,2}", re.ASCII)
_YAML_WORDS = frozenset({"y", "n", "yes", "no", "true", "false", "on", "off", "null"})


def flow(value: object) -> str:
    """Return strings, numbers, booleans, tuples and dictionaries as YAML that can be written anywhere in a manifest."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case dict():
            return f"{{{', '.join(f'{flow(key)}: {flow(each)}' for key, each in value.items())}}}"
        case tuple() | list():
            return f"[{', '.join(map(flow, value))}]"
        case _:
            text = str(value)
            plain = _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS
            return text if plain else json.dumps(text, ensure_ascii=False)
