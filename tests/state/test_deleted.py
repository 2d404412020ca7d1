"""What remains of a deleted environment: written before the record goes, and ended by a new record."""

import datetime as dt
import errno
import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given

from reconciler.apply.collect import removable_generations
from reconciler.apply.recover import recover
from reconciler.errors import DamagedStateError, NewerFormatError
from reconciler.state.applied import Applied
from reconciler.state.deleted import Deleted, read_deleted, write_deleted
from reconciler.state.seal import write_seal
from reconciler.state.store import State
from tests.state.edited import edit_state_file, stored_in, write_stored
from tests.state.generations import collect_garbage, new_generation
from tests.state.records import APPLIED, applied, publish, seal_of, sealed

WEEK = dt.timedelta(days=7)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State.at(tmp_path)


def deleted(state: State, *generations: int, **settings: Any) -> Deleted:
    """Seal some generations of `web`, of which the last is applied, and forget the environment."""
    for number in generations:
        digest = sealed(state.layout, applied(generation=number))
    remains = Deleted.now(applied(generation=generations[-1], seal=digest, settings=settings), WEEK)
    state.record(remains.applied)
    state.keep_deleted("web", remains)
    state.forget("web")
    return remains


@given(each=APPLIED)
def test_a_file_is_read_as_it_was_written(each: Any) -> None:
    remains = Deleted.now(each, WEEK)
    with TemporaryDirectory() as directory:
        write_deleted(Path(directory, "x.json"), remains)
        assert read_deleted(Path(directory, "x.json"), each.name) == remains


def test_a_forgotten_environment_is_not_applied_and_can_be_restored(state: State) -> None:
    remains = deleted(state, 1)
    assert state.applied("web") is None
    assert state.last_applied() == {}
    assert (state.deleted("web"), state.deleted_names()) == (remains, ["web"])


def test_without_remains_nothing_is_left(state: State) -> None:
    state.record(applied())
    state.forget("web")
    assert (state.deleted("web"), state.deleted_names()) == (None, [])


def test_a_record_counts_for_more_and_ends_it(state: State) -> None:
    remains = deleted(state, 1)
    file = state.layout.deleted("web")
    content = file.read_bytes()
    state.record(applied())
    assert not file.exists()
    file.write_bytes(content)  # as if the run had been killed in between
    assert state.deleted("web") is None
    recover(state, locks=None)
    assert not file.exists()
    assert state.applied("web") == applied()
    assert remains.applied.name == "web"


def test_recovery_keeps_what_can_be_restored_and_removes_what_is_published_again(state: State) -> None:
    remains = deleted(state, 1)
    recover(state, locks=None)
    assert state.deleted("web") == remains
    publish(state.layout, "web", 1)
    recover(state, locks=None)
    assert state.deleted_names() == []


def test_the_numbers_of_generations_continue(state: State) -> None:
    deleted(state, 1, 4)
    assert new_generation(state, "web").number == 5


@pytest.mark.parametrize(("keep", "removed"), [(1, [1, 2, 4]), (2, [1, 2]), (3, [1])], ids=["one", "two", "three"])
def test_the_applied_generation_and_the_newest_others_are_kept(state: State, keep: int, removed: list[int]) -> None:
    for number in (1, 2, 4):
        sealed(state.layout, applied(generation=number))
    deleted(state, 3, keep_generations=keep)
    assert [each.generation.number for each in removable_generations(state, discard=frozenset())] == removed


def test_the_generation_that_was_applied_is_kept_if_its_link_is_gone(state: State) -> None:
    sealed(state.layout, applied(generation=2))
    state.record(applied(seal=sealed(state.layout, applied()), settings={"keep_generations": 1}))
    assert [each.generation.number for each in removable_generations(state, discard=frozenset())] == [2]


def test_an_expired_one_is_collected_with_its_file(state: State) -> None:
    remains = deleted(state, 1)
    assert remains.is_expired(remains.keep_until)
    assert not remains.is_expired(remains.keep_until - dt.timedelta(seconds=1))
    past = Deleted(applied=remains.applied, deleted=remains.deleted - 2 * WEEK, keep_until=remains.deleted - WEEK)
    write_deleted(state.layout.deleted("web"), past)
    assert [each.generation.number for each in removable_generations(state, discard=frozenset())] == [1]
    collect_garbage(state)
    assert state.deleted_names() == []


def test_only_the_named_ones_are_discarded(state: State) -> None:
    deleted(state, 1)
    collect_garbage(state, discard=frozenset({"jobs"}))
    assert state.deleted_names() == ["web"]
    collect_garbage(state, discard=frozenset({"web"}))
    assert state.deleted_names() == []


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"format": "1"},
        {"keep_until": "tomorrow"},
        {"keep_until": "2026-12-07T00:00:00"},
        {"keep_until": 7},
        {"deleted": None},
        {"applied": {}},
    ],
    ids=str,
)
def test_a_file_that_is_not_valid_is_an_error_and_keeps_the_generations(state: State, change: dict[str, Any]) -> None:
    deleted(state, 1)
    file = state.layout.deleted("web")
    edit_state_file(file, change)
    newer = change == {"format": 2}
    expected = NewerFormatError if newer else DamagedStateError
    with pytest.raises(expected, match=r"deleted/web\.json` (was made by a newer envsync|is damaged): ") as caught:
        state.deleted("web")
    assert caught.value.hint
    assert state.read()[1]["web"].deleted
    (kept,) = collect_garbage(state)
    assert kept.foreign == caught.value.message
    assert state.layout.generation_numbers("web") == [1]
    recover(state, locks=None)
    assert state.deleted_names() == ["web"]


def test_a_file_of_another_name_is_an_error(state: State) -> None:
    deleted(state, 1)
    stored = stored_in(state.layout.deleted("web"))
    state.layout.deleted("web").rename(state.layout.deleted("jobs"))
    with pytest.raises(DamagedStateError, match="it was not written by envsync as this user in this root"):
        state.deleted("jobs")
    write_stored(state.layout.deleted("jobs"), stored)
    with pytest.raises(DamagedStateError, match="it is the record of the environment `web`"):
        state.deleted("jobs")


@pytest.mark.parametrize(
    ("keep", "until"),
    [
        (dt.timedelta(days=7), "2026-12-07"),
        (dt.timedelta(days=2), "2026-12-02"),
        (dt.timedelta(hours=12), "2026-11-30 20:30 UTC"),
    ],
)
def test_until_is_as_exact_as_the_time_is_short(keep: dt.timedelta, until: str) -> None:
    moment = dt.datetime(2026, 11, 30, 8, 30, tzinfo=dt.UTC)
    assert Deleted(applied=applied(), deleted=moment, keep_until=moment + keep).until == until


def test_an_age_that_no_date_can_have_is_cut() -> None:
    assert Deleted.now(applied(), dt.timedelta(weeks=999_999)).keep_until.year == 9999


def test_the_number_of_a_deleted_generation_is_not_used_again_if_its_directory_is_gone(state: State) -> None:
    remains = deleted(state, 7)
    shutil.rmtree(state.layout.generations("web"))
    assert remains.applied.generation == 7
    assert new_generation(state, "web").number == 8


def test_generations_stay_if_their_file_cannot_be_removed(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    deleted(state, 1)

    def refused(_: State, name: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", name)

    monkeypatch.setattr(State, "discard_deleted", refused)
    [kept] = collect_garbage(state, discard=frozenset({"web"}))
    assert kept.failure == f"{state.layout.deleted('web')}: Permission denied"
    assert state.layout.generation_numbers("web") == [1]
    assert state.deleted_names() == ["web"]


def built(state: State) -> Applied:
    """Make the next generation of `web` as a build does, seal it, and return what was applied."""
    generation = new_generation(state, "web")
    made = applied(generation=generation.number, settings={"keep_generations": 1})
    return replace(made, seal=write_seal(seal_of(made), generation.seal))


def test_the_links_of_collected_generations_are_kept_as_long_as_the_environment_exists(state: State) -> None:
    last = [built(state) for _ in range(3)][-1]
    publish(state.layout, "web", 3)
    state.record(last)
    assert [each.failure or each.foreign for each in collect_garbage(state)] == ["", ""]
    assert state.layout.generation_numbers("web") == [3]
    assert state.layout.collected_numbers("web") == [1, 2]
    state.keep_deleted("web", Deleted.now(last, WEEK))
    state.forget("web")
    state.layout.environment("web").unlink()
    collect_garbage(state)
    assert state.layout.collected_numbers("web") == [1, 2]
    collect_garbage(state, discard=frozenset({"web"}))
    assert state.layout.generation_numbers("web") == []
    assert state.layout.collected_numbers("web") == []
