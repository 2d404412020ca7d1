"""Reads the value of an unquoted YAML scalar."""

import re
from typing import TypeAlias

import yaml

Scalar: TypeAlias = str | int | float | bool | None

_PLAIN_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_PLAIN_FLOAT = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]*")
_TRUE = frozenset({"yes", "true", "on"})


class AmbiguousNumberError(ValueError):
    """A number that YAML versions read differently (octal, base 60, `_`, infinity, ...)."""


def plain_scalar(loader: yaml.CSafeLoader, text: str) -> Scalar:
    """Return an unquoted scalar as YAML 1.1 reads it, except that a date stays text; raises AmbiguousNumberError."""
    tag: str = loader.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    match tag.rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return text.lower() in _TRUE
        case "int" if _PLAIN_INTEGER.fullmatch(text):
            return int(text)
        case "float" if _PLAIN_FLOAT.fullmatch(text):
            return float(text)
        case "int" | "float":
            raise AmbiguousNumberError("ambiguous number: YAML versions read it differently")
        case _:
            return text
