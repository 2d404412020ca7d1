"""The hold in a record: an older envsync refuses such a record, and records without one stay as they were."""

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.errors import DamagedStateError, NewerFormatError, UsageError
from reconciler.state.hold import Hold, hold_from_json, hold_to_json, new_hold
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


def test_a_new_hold_has_its_reason_its_user_and_its_time() -> None:
    before = dt.datetime.now(dt.UTC).replace(microsecond=0)
    hold = new_hold("  INC-42, see \u00e9 ", {"USER": "alice"})
    assert (hold.reason, hold.by) == ("INC-42, see \u00e9", "alice")
    assert before <= dt.datetime.fromisoformat(hold.since) <= dt.datetime.now(dt.UTC)
    assert dt.datetime.fromisoformat(hold.since).microsecond == 0
    assert len(new_hold("x" * 200, {}).reason) == 200
    assert hold_from_json(json.loads(json.dumps(hold_to_json(hold)))) == hold
    assert hold_from_json(None) is None


@pytest.mark.parametrize(
    ("reason", "message", "hint"),
    [
        (" \n", "the reason of a hold is empty", "give a reason that others understand, such as `INC-42`"),
        ("x" * 201, "has 201 characters; 200 are allowed", "give an incident number or a link, such as `INC-42`"),
        ("a\nb", "contains the character `\\x0a`", "write it in one line of text"),
        ("a\tb", "contains the character `\\x09`", "write it in one line of text"),
        ("a\x1bb", "contains the character `\\x1b`", "write it in one line of text"),
        ("a\ud800b", "contains the character `\\ud800`", "write it in one line of text"),
        ("a\udfffb", "contains the character `\\udfff`", "write it in one line of text"),
    ],
)
def test_a_reason_that_cannot_be_shown_is_refused(reason: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        new_hold(reason, {})
    assert message in caught.value.message
    assert caught.value.hint == hint
