"""Dates, times, ages and durations in a manifest: what each means, and the message and hint of an error."""

import datetime as dt
import math

import pytest

from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.times import (
    exclude_newer_time,
    parse_seconds,
    validate_age,
    validate_date,
    validate_exclude_newer,
)

NOW = dt.datetime(2026, 3, 1, 12, 30, 15, 999999, tzinfo=dt.UTC)
FORMS = "write a date (`2026-11-01`), an RFC 3339 time (`2026-11-01T12:00:00Z`) or an age (`7 days`, `P7D`)"
NEITHER = "not a valid date, time or age"
UNEQUAL = "not a valid age: months and years have no fixed length"
NO_OFFSET = "not a valid RFC 3339 time: it must have seconds and an offset"
DURATION_HINT = "write a duration such as `10s`, `2m` or `1h`, or a number of seconds"


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-01-31", "2026-02-01T00:00:00Z"),
        ("2024-02-28", "2024-02-29T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00.5+02:00", "2026-01-01T00:00:00.5+02:00"),
        ("7 days", "2026-02-22T12:30:15Z"),
        ("1 day", "2026-02-28T12:30:15Z"),
        ("7days", "2026-02-22T12:30:15Z"),
        ("36 hours", "2026-02-28T00:30:15Z"),
        ("2 weeks", "2026-02-15T12:30:15Z"),
        ("P7D", "2026-02-22T12:30:15Z"),
        ("P1W", "2026-02-22T12:30:15Z"),
        ("PT24H", "2026-02-28T12:30:15Z"),
        ("P1W1DT1H", "2026-02-21T11:30:15Z"),
        ("0 days", "2026-03-01T12:30:15Z"),
    ],
)
def test_every_form_of_exclude_newer_has_a_time(written: str, moment: str) -> None:
    assert exclude_newer_time(written, NOW) == moment
    assert validate_exclude_newer(written) == written


def reason(kind: type[dt.date], text: str) -> str:
    """Return the message with Python's words for an invalid date, which differ between its versions."""
    with pytest.raises(ValueError, match=r"(month|day)") as caught:
        kind.fromisoformat(text)
    return f"not a valid date: {caught.value}"


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("", NEITHER, FORMS),
        ("P", NEITHER, FORMS),
        ("yesterday", NEITHER, FORMS),
        ("7", NEITHER, FORMS),
        ("-7 days", NEITHER, FORMS),
        ("99999999999 days", NEITHER, FORMS),
        ("P99999999W", NEITHER, FORMS),
        ("1 day\nago x", NEITHER, FORMS),
        ("1.5 days", NEITHER, FORMS),
        ("7 days ago", NEITHER, FORMS),
        (" 7 days ", NEITHER, FORMS),
        ("2026-01-01\n2026-01-02", NEITHER, FORMS),
        ("7 months", UNEQUAL, "write the age in days or weeks"),
        ("1 year", UNEQUAL, "write the age in days or weeks"),
        ("2026-01-01T10:00:00", NO_OFFSET, FORMS),
        ("2026-01-01 10:00:00Z", NO_OFFSET, FORMS),
        ("2026-01-01t10:00Z", NO_OFFSET, FORMS),
        ("2026-13-01", reason(dt.date, "2026-13-01"), FORMS),
        ("2026-13-01T00:00:00Z", reason(dt.datetime, "2026-13-01T00:00:00Z"), FORMS),
        ("9999-12-31", "not a valid date: date value out of range", FORMS),
    ],
)
def test_any_other_exclude_newer_is_an_error(written: str, message: str, hint: str) -> None:
    with pytest.raises(InvalidTextError) as caught:
        validate_exclude_newer(written)
    assert (caught.value.message, caught.value.hint) == (message, hint)
    with pytest.raises(InvalidTextError) as caught:
        exclude_newer_time(written, NOW)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("7", "not a valid age", "write an age (`7 days`, `12 hours`, `P7D`)"),
        ("1 month", UNEQUAL, "write the age in days or weeks"),
    ],
)
def test_a_text_that_is_not_an_age_is_an_error(written: str, message: str, hint: str) -> None:
    with pytest.raises(InvalidTextError) as caught:
        validate_age(written)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("10s", 10),
        ("2m", 120),
        ("1h30m", 5400),
        ("1.5s", 1.5),
        (" 2.5 ", 2.5),
        (3, 3),
        (0.5, 0.5),
        ("1" * 99 + "s", float("1" * 99)),
    ],
)
def test_a_duration_is_in_seconds(written: str | float, seconds: float) -> None:
    assert parse_seconds(written) == pytest.approx(seconds)


@pytest.mark.parametrize("written", ["", "10 s", "1d", "s", "-1", "1" * 101, "1" * 100 + "s"])
def test_a_text_that_is_not_a_duration_is_an_error(written: str) -> None:
    with pytest.raises(InvalidTextError) as caught:
        parse_seconds(written)
    assert (caught.value.message, caught.value.hint) == ("not a valid duration", DURATION_HINT)


@pytest.mark.parametrize("written", ["0s", "0", 0, -1.0, math.inf, math.nan])
def test_a_duration_is_finite_and_more_than_0(written: str | float) -> None:
    with pytest.raises(InvalidTextError) as caught:
        parse_seconds(written)
    assert (caught.value.message, caught.value.hint) == ("must be more than 0", "")


def test_a_date_is_valid_if_the_calendar_has_it() -> None:
    assert validate_date("2024-02-29") == "2024-02-29"


@pytest.mark.parametrize(
    ("written", "message"),
    [("2026-1-1", "not a valid date"), ("2026-02-30", reason(dt.date, "2026-02-30"))],
)
def test_a_text_that_is_not_a_date_is_an_error(written: str, message: str) -> None:
    with pytest.raises(InvalidTextError) as caught:
        validate_date(written)
    assert (caught.value.message, caught.value.hint) == (message, "write a date such as `2026-12-31`")
