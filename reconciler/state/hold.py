"""The hold of an environment: applies leave it alone until `envsync release`. It is part of the record."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.canonical_json import Json, to_json
from reconciler.errors import UsageError
from reconciler.manifest.control_characters import control_character, escape_character
from reconciler.state.history import current_user

MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why applies leave an environment alone, who held it, and since when (UTC, RFC 3339)."""

    reason: str
    by: str
    since: str


def new_hold(reason: str, ambient: Mapping[str, str]) -> Hold:
    """Return a hold that begins now; `ambient` are the environment variables, which name the user.

    Raises UsageError if `reason` is empty, has more than 200 characters, or contains a control character or a line end.
    """
    text = reason.strip()
    if not text:
        raise UsageError("the reason of a hold is empty", hint="give a reason that others understand, such as `INC-42`")
    if len(text) > MOST_CHARACTERS:
        raise UsageError(
            f"the reason of a hold has {len(text)} characters; {MOST_CHARACTERS} are allowed",
            hint="give an incident number or a link, such as `INC-42`",
        )
    unusual = next((each for each in text if each in "\t\n" or "\ud800" <= each <= "\udfff"), "")
    bad = escape_character(unusual) if unusual else control_character(text)
    if bad:
        raise UsageError(f"the reason of a hold contains the character `{bad}`", hint="write it in one line of text")
    since = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return Hold(reason=text, by=current_user(ambient), since=since)


def hold_to_json(hold: Hold) -> Json:
    """Return a hold as plain JSON."""
    return to_json(hold)


def hold_from_json(stored: Mapping[str, Any] | None) -> Hold | None:
    """Return the hold in `stored`, None if there is none; raises KeyError or TypeError for a different shape."""
    if stored is None:
        return None
    values = {key: stored[key] for key in ("reason", "by", "since")}
    for key, value in values.items():
        if not isinstance(value, str):
            raise TypeError(f"`{key}` of the hold is not text")
    return Hold(**values)
