"""What an interrupted run leaves in the generations: one that was never published is deleted, the others stay."""

import datetime as dt
import os
from pathlib import Path

import pytest

from reconciler.apply.recover import hold_and_recover, recover
from reconciler.state.deleted import Deleted
from reconciler.state.layout import Generation
from reconciler.state.seal import write_seal
from reconciler.state.store import State
from tests.state.generations import new_generation
from tests.state.records import applied, publish, seal_of

NO_PROCESS = 2**22 + 1  # above the largest number of a process


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


OWN_DIRECTORIES = {
    "the root": lambda layout: layout.root,
    "envsync's own": lambda layout: layout.envsync_directory,
    "records": lambda layout: layout.records,
    "deleted environments": lambda layout: layout.all_deleted,
    "the cache": lambda layout: layout.cache,
    "agreements": lambda layout: layout.agreements,
    "a generation": lambda layout: layout.generation("web", 1).directory,
    "locks": lambda layout: layout.root / "locks",
}


@pytest.mark.parametrize("place", OWN_DIRECTORIES)
def test_temporary_files_of_killed_processes_are_deleted_wherever_envsync_writes(place: str, tmp_path: Path) -> None:
    state = State.at(tmp_path)
    built(state)
    directory: Path = OWN_DIRECTORIES[place](state.layout)
    directory.mkdir(parents=True, exist_ok=True)
    temporary = directory / f".file.{NO_PROCESS}.0123456789abcdef.tmp"
    temporary.touch()
    (directory / "file").touch()
    recover(state, locks=None)
    assert temporary.exists() is (place == "locks")
    recover(state, locks=tmp_path / "locks")
    assert not temporary.exists()
    assert (directory / "file").exists()


def test_links_that_were_not_published_and_empty_directories_are_deleted(tmp_path: Path) -> None:
    state = State.at(tmp_path)
    built(state)
    (state.layout.envsync_directory / "publish.web").symlink_to("x")
    (state.layout.adopted / "web").mkdir(parents=True)
    (state.layout.adopted / "other/1/venv").mkdir(parents=True)
    recover(state, locks=None)
    assert not os.path.lexists(state.layout.envsync_directory / "publish.web")
    assert [each.name for each in state.layout.adopted.iterdir()] == ["other"]


def test_a_delete_that_was_interrupted_is_forgotten_and_one_that_ended_is_not(tmp_path: Path) -> None:
    state = State.at(tmp_path)
    for name in ("kept", "gone"):
        state.record(applied(name))
        state.keep_deleted(name, Deleted.now(applied(name), dt.timedelta(days=7)))
    state.forget("gone")
    recover(state, locks=None)
    assert state.deleted_names() == ["gone"]
    assert list(state.last_applied()) == ["kept"]


def test_a_command_that_changes_a_root_recovers_while_it_holds_the_mutex(tmp_path: Path) -> None:
    state = State.at(tmp_path)
    generation = built(state)
    generation.unpublished.touch()
    with hold_and_recover(state, timeout=0) as descriptor:
        assert os.fstat(descriptor).st_ino == state.layout.mutex.stat().st_ino
        assert not generation.directory.exists()
