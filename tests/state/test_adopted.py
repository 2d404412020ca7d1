"""The file of an adopted directory says how long it is kept, and is never guessed."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import StateError
from reconciler.state.adopted import Adopted, read_adopted, write_adopted
from reconciler.state.layout import Generation
from reconciler.state.store import State
from tests.state.edited import edit_state_file

HINT = "move the directory to a different place, or restore the file from a backup"


@pytest.fixture
def generation(tmp_path: Path) -> Generation:
    made = State.at(tmp_path).layout.adopted_generation("web", 1)
    made.directory.mkdir(parents=True)
    return made


def test_it_is_kept_for_the_time_that_the_manifest_says() -> None:
    before = dt.datetime.now(dt.UTC).replace(microsecond=0)
    adopted = Adopted.now(dt.timedelta(days=7))
    assert before <= adopted.adopted <= dt.datetime.now(dt.UTC)
    assert adopted.adopted.microsecond == 0
    assert adopted.keep_until == adopted.adopted + dt.timedelta(days=7)
    forever = Adopted.now(dt.timedelta(weeks=1_000_000)).keep_until
    assert (forever.year, forever.microsecond) == (9999, 0)


def test_it_is_read_as_it_was_written(generation: Generation) -> None:
    assert read_adopted(generation) is None
    adopted = Adopted.now(dt.timedelta(weeks=1_000_000))
    write_adopted(generation, adopted)
    assert read_adopted(generation) == adopted


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"adopted": None}, "damaged"),
        ({"keep_until": 3}, "damaged"),
        ({"keep_until": "tomorrow"}, "damaged"),
        ({"keep_until": "2026-11-30T09:12:00"}, "2026-11-30T09:12:00 is a time without an offset"),
        ({"format": "x"}, "damaged"),
    ],
)
def test_damage_has_a_hint(generation: Generation, change: dict[str, Any], message: str) -> None:
    write_adopted(generation, Adopted.now(dt.timedelta(days=7)))
    file = generation.adoption
    edit_state_file(file, change)
    with pytest.raises(StateError, match=message) as caught:
        read_adopted(generation)
    assert str(file) in caught.value.message
    assert caught.value.hint == HINT
