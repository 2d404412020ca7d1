"""What an interrupted run leaves in the generations: one that was never published is deleted, the others stay."""

from pathlib import Path

import pytest

from reconciler.apply.recover import recover
from reconciler.state.layout import Generation
from reconciler.state.seal import write_seal
from reconciler.state.store import State
from tests.state.generations import new_generation
from tests.state.records import applied, publish, seal_of


def built(state: State, *, seal: str = "") -> Generation:
    """Make the next generation of `web`; `seal` is the text of a damaged one."""
    generation = new_generation(state, "web")
    if seal:
        generation.seal.write_text(seal)
    else:
        write_seal(seal_of(applied(generation=generation.number)), generation.seal)
    return generation


@pytest.mark.parametrize(("marked", "kept"), [(True, False), (False, True)])
def test_a_sealed_generation_that_was_never_published_is_deleted(tmp_path: Path, marked: bool, kept: bool) -> None:
    generation = built(State.at(tmp_path))
    if marked:
        generation.unpublished.touch()
    recover(State.at(tmp_path), locks=None)
    assert generation.directory.exists() is kept


def test_one_without_a_seal_is_kept_for_inspection(tmp_path: Path) -> None:
    generation = new_generation(State.at(tmp_path), "web")
    generation.unpublished.touch()
    recover(State.at(tmp_path), locks=None)
    assert generation.directory.exists()


def test_one_whose_seal_cannot_be_read_is_kept(tmp_path: Path) -> None:
    generation = built(State.at(tmp_path), seal="damaged")
    generation.unpublished.touch()
    recover(State.at(tmp_path), locks=None)
    assert generation.directory.exists()


def test_one_that_was_published_only_loses_its_mark(tmp_path: Path) -> None:
    state = State.at(tmp_path)
    generation = built(state)
    generation.unpublished.touch()
    publish(state.layout, "web", generation.number)
    recover(state, locks=None)
    assert generation.directory.exists()
    assert not generation.unpublished.exists()


def test_nothing_behind_a_link_is_touched(tmp_path: Path) -> None:
    state = State.at(tmp_path / "root")
    generation = built(state)
    generation.unpublished.touch()
    elsewhere = tmp_path / "elsewhere"
    generation.directory.parent.rename(elsewhere)
    generation.directory.parent.symlink_to(elsewhere)
    recover(state, locks=None)
    assert (elsewhere / "1" / "seal.json").exists()
    assert (elsewhere / "1" / generation.unpublished.name).exists()


def test_a_published_generation_is_not_staged_any_more(tmp_path: Path) -> None:
    state = State.at(tmp_path)
    generation = built(state)
    generation.unpublished.touch()
    generation.staged.touch()
    publish(state.layout, "web", generation.number)
    recover(state, locks=None)
    assert generation.directory.exists()
    assert not generation.staged.exists()
    assert not generation.unpublished.exists()
