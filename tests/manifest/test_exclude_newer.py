"""`exclude_newer`: what `validate` accepts is what a lock can be resolved with."""

import datetime as dt

import pytest

from reconciler.manifest.times import exclude_newer_time, validate_exclude_newer

NOW = dt.datetime(2026, 3, 1, 12, 30, 15, 999999, tzinfo=dt.UTC)


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
def test_every_form_has_a_time(written: str, moment: str) -> None:
    assert exclude_newer_time(written, NOW) == moment
    assert validate_exclude_newer(written) == written


@pytest.mark.parametrize(
    "written",
    ["", "P", "yesterday", "7", "7 months", "-7 days", "2026-13-01", "2026-02-30", "99999999999 days", "P99999999W",
     "9999-12-31", "2026-01-01\n2026-01-02",
     "1 day\nago x", "1.5 days", "2026-01-01T10:00:00", "7 days ago", " 7 days "],
)  # fmt: skip
def test_any_other_text_is_an_error(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        exclude_newer_time(written, NOW)
    with pytest.raises(ValueError, match=r"."):
        validate_exclude_newer(written)
