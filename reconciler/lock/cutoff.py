"""`exclude_newer`: a date, or a duration back from now, turned into the date that the index is asked with."""

import datetime as dt
import re

_WORDS = re.compile(r"(?P<count>\d+)\s*(?P<unit>hour|day|week)s?(\s+ago)?")
_ISO = re.compile(r"P(?:(?P<week>\d+)W)?(?:(?P<day>\d+)D)?(?:T(?P<hour>\d+)H)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def cutoff(exclude_newer: str, now: dt.datetime) -> str:
    """Return an RFC 3339 time: a date's end (UTC, so that two machines agree), a time as it is, `now` less an age.

    Raises ValueError for anything else.
    """
    text = exclude_newer.strip()
    try:
        if match := _WORDS.fullmatch(text):
            moment = now - dt.timedelta(**{match["unit"] + "s": int(match["count"])})
        elif len(text) > 1 and (match := _ISO.fullmatch(text)):
            moment = now - dt.timedelta(**{f"{unit}s": int(match[unit] or 0) for unit in ("week", "day", "hour")})
        elif _DATE.fullmatch(text):
            moment = dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), dt.UTC) + dt.timedelta(days=1)
        else:
            moment = dt.datetime.fromisoformat(text)
            if moment.tzinfo is not None:
                return text
            moment = moment.replace(tzinfo=dt.UTC)
    except OverflowError as error:
        raise ValueError(f"out of range: {text}") from error
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")
