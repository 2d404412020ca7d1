"""What was last applied to an environment, also if it was deleted, and who may use it."""

import datetime as dt
from pathlib import Path

import pytest

from reconciler.apply.last_applied import last_applied_to
from reconciler.errors import UsageError
from reconciler.state.deleted import Deleted
from reconciler.state.store import State
from tests.state.records import applied


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Return a root in which `web` exists, `old` was deleted, and `theirs` belongs to another project."""
    state = State.at(tmp_path)
    for each in (applied(), applied("old"), applied("theirs", project="other")):
        state.record(each)
    state.keep_deleted("old", Deleted.now(applied("old", prevent_destroy=True), dt.timedelta(days=7)))
    state.forget("old")
    return state


def test_it_is_the_record_or_what_remains_of_a_deleted_environment(state: State) -> None:
    assert last_applied_to(state, "acme", "web") == applied()
    assert last_applied_to(state, "acme", "old") == applied("old", prevent_destroy=True)


def test_an_unknown_name_is_an_error_with_the_names_of_this_project(state: State) -> None:
    with pytest.raises(UsageError, match="environment `other` was never applied in this root") as caught:
        last_applied_to(state, "acme", "other")
    assert caught.value.hint == "choose from the applied environments: `web`"
    with pytest.raises(UsageError) as caught:
        last_applied_to(state, "unknown", "other")
    assert caught.value.hint == "run `envsync apply`"


def test_an_environment_of_another_project_is_an_error(state: State) -> None:
    with pytest.raises(UsageError, match="project `other` owns `theirs` in the same root") as caught:
        last_applied_to(state, "acme", "theirs")
    assert caught.value.hint == "run the command with the manifest of that project"
