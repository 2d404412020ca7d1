"""Durations and moments as a manifest writes them."""

import math
import re
from datetime import date, datetime

from reconciler.manifest.refusal import RefusedError

_SHORT = {"s": 1, "m": 60, "h": 3600}
_SHORT_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smh])+")
# At most five digits: every age leads back to a year that a date can have.
_AGE = re.compile(r"(\d{1,5})\s*(hour|day|week)s?")
# ISO 8601 without years and months, whose length depends on when one asks.
_ISO_AGE = re.compile(r"P(?=.)(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(\d{1,5})H)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-]\d{2}:\d{2})")


def parse_seconds(value: str | float) -> float:
    """Return the seconds that `10s`, `2m`, `1h30m` or a plain number of seconds stand for; more than 0."""
    if isinstance(value, str):
        text = value.strip()
        if _SHORT_DURATION.fullmatch(text):
            parts = re.findall(r"(\d+(?:\.\d+)?)([smh])", text)
            seconds = sum(float(number) * _SHORT[unit] for number, unit in parts)
        elif re.fullmatch(r"\d+(\.\d+)?", text):
            seconds = float(text)
        else:
            raise RefusedError("not a duration", hint="write it like 10s, 2m or 1h, or as a number of seconds")
    else:
        seconds = float(value)
    if not math.isfinite(seconds) or seconds <= 0:
        raise RefusedError("a duration must be more than 0")
    return seconds


def check_exclude_newer(text: str) -> str:
    """Return a date, an RFC 3339 time or an age (`7 days`, ISO 8601 `P7D`) as written, or refuse it."""
    hint = "write a date (2026-11-01), an RFC 3339 time (2026-11-01T12:00:00Z) or an age (7 days, P7D)"
    try:
        if _DATE.fullmatch(text):
            date.fromisoformat(text)
            return text
        if _TIME.fullmatch(text):
            datetime.fromisoformat(text)
            return text
    except ValueError as error:
        raise RefusedError(f"not a date: {error}", hint=hint) from error
    if _AGE.fullmatch(text) or _ISO_AGE.fullmatch(text):
        return text
    if re.search(r"\b(month|year)s?\b", text):
        raise RefusedError("not an age: months and years have no fixed length", hint="write days or weeks")
    if re.match(r"\d{4}-\d{2}-\d{2}[Tt ]", text):
        raise RefusedError("not an RFC 3339 time: it needs seconds and an offset", hint=hint)
    raise RefusedError("not a date, a time or an age", hint=hint)
