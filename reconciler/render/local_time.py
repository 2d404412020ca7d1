"""Times for people, in the time zone of the reader (`TZ`)."""

import datetime as dt


def local_time(text: str) -> str:
    """Return an RFC 3339 time as local time with its offset: `2026-11-30 10:12+01:00`; any other text as it is."""
    try:
        found = dt.datetime.fromisoformat(text)
        return found.astimezone().isoformat(sep=" ", timespec="minutes") if found.tzinfo is not None else text
    except (ValueError, OverflowError, OSError):
        return text
