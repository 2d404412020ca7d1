"""Writes a lock as TOML, each file of a package on a line of its own, so that a diff shows only what changed.

It writes what PEP 751 needs: strings, numbers, booleans, dates, arrays and tables. (tomli-w spreads each wheel over
seven lines.) The text is always parsed again before it is used, by `parse_lock` or by the engine.
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from reconciler.toml_string import toml_string

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_TOP = (
    "lock-version",
    "environments",
    "requires-python",
    "extras",
    "dependency-groups",
    "default-groups",
    "created-by",
)


def lock_text(document: Mapping[str, Any]) -> str:
    """Return the TOML text of a PEP 751 document, keys in the specification's order.

    Raises TypeError for a value that a lock cannot have.
    """
    lines = [f"{key} = {_value(document[key])}" for key in _TOP if key in document]
    if not document.get("packages"):
        lines.append("packages = []")  # an environment without packages still has a lock
    for package in document.get("packages", []):
        lines += ["", "[[packages]]"]
        for key, value in _table(package).items():
            if isinstance(value, list) and len(value) > 1:
                lines += [f"{_key(key)} = [", *(f"    {_value(item)}," for item in value), "]"]
            else:
                lines.append(f"{_key(key)} = {_value(value)}")
    for tool, table in _table(document.get("tool", {})).items():
        rows = (f"{_key(key)} = {_value(value)}" for key, value in _table(table).items())
        lines += ["", f"[tool.{_key(tool)}]", *rows]
    return "\n".join(lines) + "\n"


def _table(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{type(value).__name__} in the place of a table")
    return value


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else toml_string(key)


def _value(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return toml_string(value)
        case int() | float():  # repr of a float is TOML's, inf and nan included
            return repr(value)
        case dt.datetime():
            return value.isoformat().replace("+00:00", "Z")
        case dt.date() | dt.time():
            return value.isoformat()
        case list() | tuple():
            return "[" + ", ".join(_value(item) for item in value) + "]"
        case Mapping():
            return "{ " + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + " }"
        case _:
            raise TypeError(f"{type(value).__name__} cannot be written to a lock")
