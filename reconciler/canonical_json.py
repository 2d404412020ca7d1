"""Canonical JSON and its digest: equal values give equal bytes on every machine, locale and hash seed."""

import hashlib
import json
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import PurePath
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


_SCALARS = frozenset({type(None), bool, int, float, str})


@cache
def _fields(kind: type) -> tuple[str, ...] | None:
    """Return the names of a dataclass's fields; None for any other class."""
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else None


def to_json(value: object) -> Json:
    """Return dataclasses, enums, tuples, sets, paths and mappings as plain JSON values; sets are sorted.

    Raises TypeError for any other value, so that a value without a canonical form is never digested.
    """
    kind: type = type(value)
    if kind in _SCALARS:  # most values are, so this check comes first
        return value  # type: ignore[return-value]
    if (names := _fields(kind)) is not None:
        return {name: to_json(getattr(value, name)) for name in names}
    if isinstance(value, Enum):
        return to_json(value.value)
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((to_json(item) for item in value), key=canonical_text)
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no canonical JSON form")


def canonical_text(value: object) -> str:
    """Return `value` as ASCII JSON with sorted keys and without spaces; lone surrogates are escaped."""
    return canonical_text_of_json(to_json(value))


def canonical_text_of_json(value: Json) -> str:
    """Return the same for a value that is JSON already; raises RecursionError if it is nested too deeply."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def digest(value: object) -> str:
    """Return `sha256:` and the hexadecimal digest of `value`'s canonical JSON."""
    return "sha256:" + hashlib.sha256(canonical_text(value).encode("ascii")).hexdigest()
