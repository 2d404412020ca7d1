"""Parses the durations and times in a manifest."""

import datetime as dt
import math
import re

from reconciler.manifest.invalid_text import InvalidTextError

_LONGEST = 100  # characters of a duration
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600}
_SHORT_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smh])+")
# At most five digits, so that subtracting any age from today gives a year that a date can have.
_AGE = re.compile(r"(?P<count>\d{1,5})\s*(?P<unit>hour|day|week)s?")
# ISO 8601 without years and months, because their length varies.
_ISO_AGE = re.compile(r"P(?=.)(?:(?P<week>\d{1,5})W)?(?:(?P<day>\d{1,5})D)?(?:T(?P<hour>\d{1,5})H)?")
_UNEQUAL_UNIT = re.compile(r"\b(month|year)s?\b")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-]\d{2}:\d{2})")
_AGE_HINT = "write an age (`7 days`, `12 hours`, `P7D`)"
_EXCLUDE_NEWER_HINT = (
    "write a date (`2026-11-01`), an RFC 3339 time (`2026-11-01T12:00:00Z`) or an age (`7 days`, `P7D`)"
)


def parse_seconds(value: str | float) -> float:
    """Return a duration (`10s`, `2m`, `1h30m` or a number) in seconds, more than 0; raises InvalidTextError."""
    if isinstance(value, str):
        text = value.strip()[: _LONGEST + 1]
        if len(text) <= _LONGEST and _SHORT_DURATION.fullmatch(text):
            parts = re.findall(r"(\d+(?:\.\d+)?)([smh])", text)
            seconds = sum(float(number) * _UNIT_SECONDS[unit] for number, unit in parts)
        elif len(text) <= _LONGEST and re.fullmatch(r"\d+(\.\d+)?", text):
            seconds = float(text)
        else:
            hint = "write a duration such as `10s`, `2m` or `1h`, or a number of seconds"
            raise InvalidTextError("not a valid duration", hint=hint)
    else:
        seconds = float(value)
    if not math.isfinite(seconds) or seconds <= 0:
        raise InvalidTextError("must be more than 0", hint="")
    return seconds


def validate_exclude_newer(text: str) -> str:
    """Return a date, an RFC 3339 time or an age (`7 days`, ISO 8601 `P7D`) as written; raises InvalidTextError."""
    exclude_newer_time(text, dt.datetime.now(dt.UTC))
    return text


def exclude_newer_time(text: str, now: dt.datetime) -> str:
    """Return the RFC 3339 time of an `exclude_newer` value at the moment `now`; raises InvalidTextError.

    The time of a date is its end in UTC, so that all machines agree. An age is subtracted from `now`.
    """
    try:
        if _TIME.fullmatch(text):
            dt.datetime.fromisoformat(text)
            return text
        if _DATE.fullmatch(text):
            moment = dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), dt.UTC) + dt.timedelta(days=1)
        elif (age := _age(text)) is not None:
            moment = now - age
        else:
            raise _not_a_time(text)
    except (ValueError, OverflowError) as error:
        if isinstance(error, InvalidTextError):
            raise
        raise InvalidTextError(f"not a valid date: {error}", hint=_EXCLUDE_NEWER_HINT) from error
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def parse_age(text: str) -> dt.timedelta:
    """Return an age (`7 days`, ISO 8601 `P7D`, or `0`); raises InvalidTextError."""
    age = dt.timedelta() if text == "0" else _age(text)
    if age is None:
        raise _no_fixed_length() if _UNEQUAL_UNIT.search(text) else InvalidTextError("not a valid age", hint=_AGE_HINT)
    return age


def validate_age(text: str) -> str:
    """Return an age as written; raises InvalidTextError."""
    parse_age(text)
    return text


def age_text(age: dt.timedelta) -> str:
    """Return an age in words: `7 days`, `1 hour`."""
    hours = round(age.total_seconds() / 3600)
    number, unit = (hours, "hour") if hours % 24 else (hours // 24, "day")
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _age(text: str) -> dt.timedelta | None:
    """Return the age that a text is, None if it is none."""
    if age := _AGE.fullmatch(text):
        return dt.timedelta(**{f"{age['unit']}s": int(age["count"])})
    if age := _ISO_AGE.fullmatch(text):
        return dt.timedelta(**{f"{unit}s": int(age[unit] or 0) for unit in ("week", "day", "hour")})
    return None


def _no_fixed_length() -> InvalidTextError:
    return InvalidTextError(
        "not a valid age: months and years have no fixed length", hint="write the age in days or weeks"
    )


def validate_date(text: str) -> str:
    """Return a date (`2026-12-31`) as written; raises InvalidTextError."""
    hint = "write a date such as `2026-12-31`"
    if not _DATE.fullmatch(text):
        raise InvalidTextError("not a valid date", hint=hint)
    try:
        dt.date.fromisoformat(text)
    except ValueError as error:
        raise InvalidTextError(f"not a valid date: {error}", hint=hint) from error
    return text


def today_in_utc() -> str:
    """Return today's date in UTC (`2026-12-31`); such dates compare as text."""
    return dt.datetime.now(dt.UTC).date().isoformat()


def _not_a_time(text: str) -> InvalidTextError:
    if _UNEQUAL_UNIT.search(text):
        return _no_fixed_length()
    if re.match(r"\d{4}-\d{2}-\d{2}[Tt ]", text):
        message = "not a valid RFC 3339 time: it must have seconds and an offset"
        return InvalidTextError(message, hint=_EXCLUDE_NEWER_HINT)
    return InvalidTextError("not a valid date, time or age", hint=_EXCLUDE_NEWER_HINT)
