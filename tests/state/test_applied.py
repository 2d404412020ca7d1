"""Which patterns of `ignore` and `ignore_files` count on a day, and whose environment it is in messages."""

import pytest

from reconciler.state.applied_names import applied_names_hint, never_applied
from tests.state.records import applied

EXCEPTIONS = [
    "plain",
    {"match": "always", "reason": "why"},
    {"match": "until", "until": "2026-12-31"},
    {"match": "empty", "until": ""},
    7,
]


@pytest.mark.parametrize(
    ("today", "patterns"),
    [
        ("2026-12-30", ("plain", "always", "until", "empty", "7")),
        ("2026-12-31", ("plain", "always", "until", "empty", "7")),
        ("2027-01-01", ("plain", "always", "empty", "7")),
    ],
)
def test_an_exception_counts_through_its_last_day(today: str, patterns: tuple[str, ...]) -> None:
    found = applied(settings={"ignore": EXCEPTIONS, "ignore_files": "text"})
    assert found.ignore_patterns("ignore", today) == patterns
    assert found.ignore_patterns("ignore_files", today) == ()
    assert found.ignore_patterns("none", today) == ()


def test_names_that_were_never_applied() -> None:
    assert never_applied(["web"]) == "environment `web` was never applied in this root"
    assert never_applied(iter(["web", "api"])) == "environments `web`, `api` were never applied in this root"
    assert applied_names_hint(["x"], ["web", "api"]) == "choose from the applied environments: `api`, `web`"
    assert applied_names_hint(["x"], []) is None
    assert "`web`" in (applied_names_hint(["x", "wep"], ["web", "api"]) or "")
    assert "api" not in (applied_names_hint(["x", "wep"], ["web", "api"]) or "")
