"""After a number of resolutions in a row that timed out, no index is asked any more."""

import pytest

from reconciler.lock.resolve_all import _Patience


@pytest.mark.parametrize(
    ("slow", "lost"),
    [([], False), ([True], False), ([True, True], True), ([True, False, True], False), ([False, True, True], True)],
)
def test_patience_is_lost_after_some_in_a_row(slow: list[bool], lost: bool) -> None:
    patience = _Patience(2)
    for each in slow:
        patience.count(slow=each)
    assert patience.lost is lost
