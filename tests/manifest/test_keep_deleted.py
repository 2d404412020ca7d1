"""`keep_deleted`: an age, or nothing."""

import datetime as dt
from pathlib import Path

import pytest

from reconciler.errors import ManifestError
from reconciler.manifest.expand import expand
from reconciler.manifest.load import load_manifest
from reconciler.manifest.times import age_text, parse_age, validate_age


def keep_deleted(written: str, directory: Path) -> str:
    file = directory / "envs.yaml"
    file.write_text(f"version: 1\nproject: acme\nkeep_deleted: {written}\nenvironments: {{}}\n", encoding="utf-8")
    return expand(load_manifest(file)).keep_deleted


@pytest.mark.parametrize(
    ("written", "age", "words"),
    [
        ("7 days", dt.timedelta(days=7), "7 days"),
        ("1 day", dt.timedelta(days=1), "1 day"),
        ("24 hours", dt.timedelta(days=1), "1 day"),
        ("36 hours", dt.timedelta(hours=36), "36 hours"),
        ("1 hour", dt.timedelta(hours=1), "1 hour"),
        ("P1D", dt.timedelta(days=1), "1 day"),
        ("PT48H", dt.timedelta(days=2), "2 days"),
        ("2 weeks", dt.timedelta(days=14), "14 days"),
        ("P1W1DT1H", dt.timedelta(days=8, hours=1), "193 hours"),
        ("0 days", dt.timedelta(), "0 days"),
        ("0", dt.timedelta(), "0 days"),
        ('"0"', dt.timedelta(), "0 days"),
    ],
)
def test_every_form_is_an_age(written: str, age: dt.timedelta, words: str, tmp_path: Path) -> None:
    kept = keep_deleted(written, tmp_path)
    assert kept == written.strip('"')
    assert validate_age(kept) == kept
    assert parse_age(kept) == age
    assert age_text(age) == words


@pytest.mark.parametrize("written", ["7", "7.5", "true", "yesterday", "2026-11-01", "2 months", "-1 days", "[7 days]"])
def test_anything_else_is_refused(written: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        keep_deleted(written, tmp_path)
    (problem,) = caught.value.problems
    assert problem.path == "keep_deleted"
    assert "age" in problem.message


def test_a_month_has_no_fixed_length(tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        keep_deleted("2 months", tmp_path)
    [problem] = caught.value.problems
    assert problem.message.endswith("not a valid age: months and years have no fixed length")
    assert problem.hint == "write the age in days or weeks"
