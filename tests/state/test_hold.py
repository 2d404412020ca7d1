"""The hold in a record: an older envsync refuses such a record, and records without one stay as they were."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.errors import DamagedStateError, NewerFormatError
from reconciler.state.hold import Hold
from reconciler.state.state_file import read_state_file
from reconciler.state.store import State
from tests.plan.build import applied_environment

HOLD = Hold(reason="INC-42", by="alice", since="2026-11-30T09:12:00+00:00")


def record_of(tmp_path: Path, hold: Hold | None) -> Path:
    """Write the record of `web`; return its path."""
    state = State.at(tmp_path)
    applied = replace(applied_environment("web", {"generation": 0}), hold=hold)
    state.record(applied)
    assert state.applied("web") == applied
    return state.layout.record("web")


def test_an_envsync_that_knows_no_holds_refuses_a_record_with_one(tmp_path: Path) -> None:
    path = record_of(tmp_path, HOLD)
    with pytest.raises(NewerFormatError):
        read_state_file(path, 1, hint="")


def test_a_record_without_a_hold_is_as_an_older_envsync_writes_it(tmp_path: Path) -> None:
    stored = json.loads(record_of(tmp_path, None).read_bytes())
    assert stored["format"] == 1
    assert "hold" not in stored["applied"]


@pytest.mark.parametrize("hold", ["INC-42", {"reason": "INC-42"}, {"reason": 1, "by": "a", "since": "b"}])
def test_a_damaged_hold_is_damage_of_the_record(tmp_path: Path, hold: object) -> None:
    path = record_of(tmp_path, HOLD)
    stored = json.loads(path.read_bytes())
    stored["applied"]["hold"] = hold
    path.write_text(json.dumps(stored))
    with pytest.raises(DamagedStateError):
        State.at(tmp_path).applied("web")
