"""Hold and release an environment: what is recorded, and why each is refused."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.apply.hold import hold_environment, release_environment
from reconciler.errors import UsageError
from reconciler.state.deleted import Deleted
from reconciler.state.hold import Hold
from reconciler.state.store import State
from tests.state.records import applied

HOLD = Hold(reason="INC-42", by="alice", since="2026-11-30T09:12:00+00:00")


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Return a root in which `web` exists, `old` was deleted while it was held, and `theirs` of a project is held."""
    state = State.at(tmp_path)
    for each in (applied(), applied("old", hold=HOLD), applied("theirs", project="other", hold=HOLD)):
        state.record(each)
    state.keep_deleted("old", Deleted.now(applied("old", hold=HOLD), dt.timedelta(days=7)))
    state.forget("old")
    return state


def test_a_hold_and_its_end_are_recorded(state: State) -> None:
    held = hold_environment(state, "acme", "web", HOLD)
    assert held == state.applied("web") == applied(hold=HOLD)
    other = replace(HOLD, reason="INC-43")
    assert hold_environment(state, "acme", "web", other).hold == other
    assert release_environment(state, "acme", "web") == other
    assert state.applied("web") == applied()


@pytest.mark.parametrize("name", ["web", "old"])
def test_only_a_held_environment_can_be_released(state: State, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        release_environment(state, "acme", name)
    assert caught.value.message == f"environment `{name}` is not held"
    assert caught.value.hint == "nothing to do: no environment is held", "that of another project does not count"
    for each in ("job", "api"):
        state.record(applied(each, hold=HOLD))
    with pytest.raises(UsageError) as caught:
        release_environment(state, "acme", name)
    assert caught.value.hint == "release one that is held: `api`, `job`"


def test_a_deleted_environment_cannot_be_held(state: State) -> None:
    with pytest.raises(UsageError) as caught:
        hold_environment(state, "acme", "old", HOLD)
    assert caught.value.message == "environment `old` is deleted, so it cannot be held"
    assert caught.value.hint == "run `envsync rollback old --hold REASON` to restore and hold it"


@pytest.mark.parametrize("name", ["theirs", "unknown"])
def test_an_environment_of_another_project_or_an_unknown_one_is_an_error(state: State, name: str) -> None:
    with pytest.raises(UsageError):
        hold_environment(state, "acme", name, HOLD)
    with pytest.raises(UsageError):
        release_environment(state, "acme", name)
    theirs = state.applied("theirs")
    assert theirs is not None
    assert theirs.hold == HOLD
