"""The file of a trial is read as it was written, and damage is never taken for a generation that passed."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import DamagedStateError
from reconciler.state.trial import Trial, read_trial, write_trial
from tests.state.edited import edit_state_file
from tests.state.records import applied

SINCE = dt.datetime(2026, 11, 30, 9, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize("previous", [None, applied(generation=3, seal="sha256:1")])
def test_a_trial_is_read_as_it_was_written(tmp_path: Path, previous: Any) -> None:
    assert read_trial(tmp_path / "trial") is None
    trial = Trial(since=SINCE, runs=2, previous=previous)
    write_trial(tmp_path / "trial", trial)
    assert read_trial(tmp_path / "trial") == trial


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"runs": "1"}, "`runs` is not a number"),
        ({"runs": True}, "`runs` is not a number"),
        ({"runs": None}, "`runs` is not a number"),
        ({"since": "2026-11-30T09:12:00"}, "damaged"),
        ({"since": 3}, "damaged"),
        ({"previous": {}}, "damaged"),
        ({"previous": 3}, "damaged"),
    ],
)
def test_a_damaged_trial_has_a_hint(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    file = tmp_path / "trial"
    write_trial(file, Trial(since=SINCE, runs=1, previous=None))
    edit_state_file(file, change)
    with pytest.raises(DamagedStateError, match=message) as caught:
        read_trial(file)
    assert str(file) in caught.value.message
    assert caught.value.hint == "delete the file: the generation then counts as one that passed"
    file.write_text("damaged")
    with pytest.raises(DamagedStateError) as caught:
        read_trial(file)
    assert caught.value.hint == "delete the file: the generation then counts as one that passed"
