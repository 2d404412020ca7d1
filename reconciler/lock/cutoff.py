"""`exclude_newer`: a date, or a duration back from now, turned into the date that the index is asked with."""

import datetime as dt
import re

_WORDS = re.compile(r"^(?P<count>\d+)\s*(?P<unit>hour|day|week)s?(\s+ago)?$")
_ISO = re.compile(r"^P(?:(?P<week>\d+)W)?(?:(?P<day>\d+)D)?(?:T(?P<hour>\d+)H)?$")


def cutoff(exclude_newer: str, now: dt.datetime) -> str:
    """Return an RFC 3339 date or time; a date as written stays as it is, a duration is counted back from `now`.

    Raises ValueError for anything else.
    """
    text = exclude_newer.strip()
    if match := _WORDS.match(text):
        back = dt.timedelta(**{match["unit"] + "s": int(match["count"])})
    elif text.startswith("P") and len(text) > 1 and (match := _ISO.match(text)):
        back = dt.timedelta(**{f"{unit}s": int(match[unit] or 0) for unit in ("week", "day", "hour")})
    else:
        dt.datetime.fromisoformat(text)
        return text
    return (now - back).replace(microsecond=0).isoformat().replace("+00:00", "Z")
