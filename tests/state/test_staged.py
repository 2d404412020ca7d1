"""Which generation is staged: the newest one with a mark that is newer than what is published, until it expires."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import DamagedStateError, NewerFormatError
from reconciler.state.staged import (
    KEEP,
    Staged,
    StagedNote,
    is_staged,
    staged_generation,
    staged_generations,
    unmark_staged,
    write_staged,
)
from reconciler.state.store import State
from tests.state.edited import edit_state_file
from tests.state.records import applied, publish, sealed

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
NOTE = StagedNote(
    desired="sha256:desired",
    prior="sha256:prior",
    action="update",
    reasons=(("lock-changed", "pending", "the lock changed"), ("files-drifted", "drift", "1 file added")),
    drifted=True,
    staged=NOW,
)


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Return a root with three sealed generations of `web`, of which the first is published."""
    state = State.at(tmp_path)
    for number in (1, 2, 3):
        sealed(state.layout, applied(generation=number))
    publish(state.layout, "web", 1)
    return state


def kept(state: State) -> list[int]:
    return [number for number in (1, 2, 3) if is_staged(state, "web", number)]


def test_nothing_is_staged_without_a_mark(state: State) -> None:
    assert kept(state) == []
    assert staged_generation(state, "web") is None
    assert staged_generations(state, ["web", "none"]) == ({}, ())


def test_a_staged_generation_has_its_note_and_its_seal(state: State) -> None:
    write_staged(state.layout, "web", 2, NOTE)
    seal = state.seal("web", 2)
    assert seal is not None
    expected = Staged(generation=2, note=NOTE, applied=replace(applied(generation=2), seal=seal.digest))
    assert staged_generation(state, "web") == expected
    assert staged_generations(state, ["web", "none"]) == ({"web": expected}, ())
    assert expected.since == f"{NOW:%Y-%m-%d %H:%M} UTC"
    assert kept(state) == [2]


def test_a_mark_that_is_removed_at_the_same_time_does_not_count(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda _: True)
    assert staged_generation(state, "web") is None


def test_a_newer_mark_ends_older_ones(state: State) -> None:
    write_staged(state.layout, "web", 2, NOTE)
    write_staged(state.layout, "web", 3, NOTE)
    assert not state.layout.generation("web", 2).staged.exists()
    state.layout.generation("web", 3).staged.rename(state.layout.generation("web", 2).staged)
    write_staged(state.layout, "web", 1, NOTE)
    assert state.layout.generation("web", 2).staged.exists()
    # a mark that could not be removed
    write_staged(state.layout, "web", 3, NOTE)
    state.layout.generation("web", 2).staged.write_bytes(state.layout.generation("web", 3).staged.read_bytes())
    assert kept(state) == [3]
    found = staged_generation(state, "web")
    assert found is not None
    assert found.generation == 3


@pytest.mark.parametrize("published", [2, 3])
def test_a_mark_of_what_is_published_or_older_does_not_count(state: State, published: int) -> None:
    write_staged(state.layout, "web", 2, NOTE)
    publish(state.layout, "web", published)
    assert kept(state) == []
    assert staged_generation(state, "web") is None


def test_a_generation_without_a_seal_is_not_staged(state: State) -> None:
    write_staged(state.layout, "web", 2, NOTE)
    state.layout.generation("web", 2).seal.unlink()
    assert staged_generation(state, "web") is None


def test_a_mark_expires(state: State) -> None:
    assert (NOTE.is_expired(NOW + KEEP - dt.timedelta(seconds=1)), NOTE.is_expired(NOW + KEEP)) == (False, True)
    write_staged(state.layout, "web", 2, replace(NOTE, staged=NOW - KEEP))
    assert kept(state) == []
    assert staged_generation(state, "web") is None


def test_marks_are_removed(state: State) -> None:
    for number in (1, 3):
        write_staged(state.layout, "web", number, NOTE)
    unmark_staged(state.layout, "web", below=3)
    assert [state.layout.generation("web", number).staged.exists() for number in (1, 2, 3)] == [False, False, True]
    unmark_staged(state.layout, "web")
    unmark_staged(state.layout, "none")
    assert not state.layout.generation("web", 3).staged.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"desired": 1},
        {"prior": None},
        {"action": []},
        {"reasons": [["one", "two"]]},
        {"reasons": [["one", "two", 3]]},
        {"reasons": [[1, "two", "three"]]},
        {"reasons": [["one", 2, "three"]]},
        {"reasons": None},
        {"drifted": 1},
        {"staged": "2026-11-30T09:12:00"},
        {"staged": "yesterday"},
    ],
)
def test_a_damaged_mark_keeps_its_generation_and_is_reported(state: State, change: dict[str, Any]) -> None:
    write_staged(state.layout, "web", 2, NOTE)
    file = state.layout.generation("web", 2).staged
    edit_state_file(file, change)
    assert kept(state) == [2]
    with pytest.raises(DamagedStateError, match="does not describe a staged generation") as caught:
        staged_generation(state, "web")
    assert caught.value.hint == "run `envsync apply --stage` again to build a new generation"
    found, problems = staged_generations(state, ["web"])
    assert found == {}
    message = "`.envsync/generations/web/2/staged.json` is damaged: it does not describe a staged generation"
    assert problems == (f"the staged generation of `web` cannot be published: {message}",)


@pytest.mark.parametrize("key", ["desired", "prior", "action", "reasons", "drifted", "staged"])
def test_a_mark_without_a_value_is_damaged(state: State, key: str) -> None:
    write_staged(state.layout, "web", 2, NOTE)
    file = state.layout.generation("web", 2).staged
    edit_state_file(file, lambda stored: stored.pop(key))
    with pytest.raises(DamagedStateError):
        staged_generation(state, "web")


def test_a_mark_of_a_newer_envsync_is_kept(state: State) -> None:
    state.layout.generation("web", 2).staged.write_text('{"format": 2}')
    assert kept(state) == [2]
    with pytest.raises(NewerFormatError):
        staged_generation(state, "web")
