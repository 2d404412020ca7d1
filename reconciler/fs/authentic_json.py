"""JSON files below a root with a code in them that authenticates the rest (`reconciler.fs.authentication`)."""

import json
from collections.abc import Mapping
from typing import Any

from reconciler.canonical_json import Json, canonical_text, canonical_text_of_json
from reconciler.fs.authentication import authentication_code, is_authentic
from reconciler.fs.own_files import read_own

_CODE = "authentication"


class NotAuthenticError(ValueError):
    """The file was not written by envsync as this user, at this place."""


def authentic_json(path: str, stored: Mapping[str, Json]) -> bytes:
    """Return the bytes of the file at `path`: an object and its code, which replaces the one that it had.

    Raises OSError if there can be no key.
    """
    rest = _without_code(stored)
    code = authentication_code(path, canonical_text(rest).encode("ascii"))
    return (canonical_text({**rest, _CODE: code}) + "\n").encode("ascii")


def require_authentic(path: str, stored: dict[str, Any]) -> dict[str, Any]:
    """Return the object of the file at `path` without its code; raises NotAuthenticError."""
    rest = _without_code(stored)
    code = stored.get(_CODE)
    try:
        content = canonical_text_of_json(rest).encode("ascii")
    except RecursionError as error:
        raise NotAuthenticError("it is nested too deeply") from error
    if not is_authentic(path, content, code if isinstance(code, str) else ""):
        raise NotAuthenticError("it was not written by envsync as this user in this root")
    return rest


def _without_code(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in stored.items() if key != _CODE}


def read_authentic_json(path: str) -> dict[str, Any]:
    """Return the object in the file at `path` without its code.

    Raises OSError, or ValueError if it is damaged or not authentic: for caches, which are then made again.
    """
    try:
        stored = json.loads(read_own(path))
    except RecursionError as error:
        raise ValueError(str(error)) from error
    if not isinstance(stored, dict):
        raise ValueError("not an object")  # noqa: TRY004  # damage, as any other
    return require_authentic(path, stored)
