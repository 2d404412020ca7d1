"""Which generations are kept, and what is reported about those that cannot be deleted."""

import datetime as dt
import fcntl
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.collect import (
    Removable,
    adopted_names,
    generation_names,
    mark_reported,
    remember_failures,
    removable_generations,
    remove_generation,
)
from reconciler.fs.remove_tree import ForeignTreeError
from reconciler.state.adopted import Adopted, write_adopted
from reconciler.state.applied import Applied
from reconciler.state.generation_identity import write_identity_mark
from reconciler.state.hold import Hold
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import save_inventory
from reconciler.state.inventory_scan import take_inventory
from reconciler.state.seal import write_seal
from reconciler.state.staged import StagedNote, write_staged
from reconciler.state.store import State
from reconciler.state.trial import Trial, write_trial
from tests.state.edited import make_root, stored_in, write_stored
from tests.state.generations import collect_garbage, new_generation
from tests.state.records import applied, publish, seal_of

LONG_AGO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State.at(tmp_path)


def built(state: State, count: int, **more: Any) -> Applied:
    """Make generations of `web` as builds do, seal them, and publish and record the last one."""
    for _ in range(count):
        generation = new_generation(state, "web")
        made = applied(generation=generation.number, **more)
        made = replace(made, seal=write_seal(seal_of(made), generation.seal))
    publish(state.layout, "web", made.generation)
    state.record(made)
    return made


def kept(state: State) -> list[int]:
    """Return the numbers of the generations that would be kept."""
    removable = {each.generation.number for each in removable_generations(state, discard=frozenset())}
    return [each for each in state.layout.generation_numbers("web") if each not in removable]


@pytest.mark.parametrize(
    ("keep", "numbers"),
    [(1, [5]), (2, [4, 5]), (None, [3, 4, 5]), (0, [3, 4, 5]), ("2", [3, 4, 5]), (9, [1, 2, 3, 4, 5])],
)
def test_the_newest_generations_are_kept(state: State, keep: object, numbers: list[int]) -> None:
    built(state, 5, settings={} if keep is None else {"keep_generations": keep})
    assert kept(state) == numbers


def test_of_those_that_drifted_or_failed_only_the_newest_is_kept_and_does_not_count(state: State) -> None:
    built(state, 6, settings={"keep_generations": 2})
    state.layout.generation("web", 2).drifted.touch()
    state.layout.generation("web", 5).failed.touch()
    assert kept(state) == [4, 5, 6]


def test_what_was_never_published_does_not_count(state: State) -> None:
    built(state, 4, settings={"keep_generations": 2})
    state.layout.generation("web", 3).unpublished.touch()
    assert kept(state) == [2, 4]


def test_while_it_is_held_the_generation_before_a_rollback_is_kept(state: State) -> None:
    record = built(state, 4, settings={"keep_generations": 1}, rolled_back_from=2)
    assert kept(state) == [4]
    state.record(replace(record, hold=Hold(reason="INC-42", by="a", since="2026-11-30T09:12:00+00:00")))
    assert kept(state) == [2, 4]
    state.record(replace(record, rolled_back_from=9, hold=Hold(reason="x", by="a", since="2026-11-30T09:12:00+00:00")))
    assert kept(state) == [4]


def test_what_precedes_a_generation_on_trial_is_kept(state: State) -> None:
    built(state, 4, settings={"keep_generations": 1})
    write_trial(state.layout.generation("web", 4).trial, Trial(since=LONG_AGO, runs=0, previous=applied(generation=2)))
    assert kept(state) == [2, 4]
    write_trial(state.layout.generation("web", 4).trial, Trial(since=LONG_AGO, runs=0, previous=None))
    assert kept(state) == [4]


def test_a_seal_that_is_damaged_or_newer_is_kept(state: State) -> None:
    built(state, 4, settings={"keep_generations": 2})
    state.layout.generation("web", 3).seal.write_text("damaged")
    assert kept(state) == [3, 4]
    state.layout.generation("web", 1).seal.write_text('{"format": 99}')
    assert kept(state) == [1, 3, 4]


def test_nothing_is_deleted_if_the_record_cannot_be_read(state: State) -> None:
    built(state, 4, settings={"keep_generations": 1})
    state.layout.record("web").write_text("damaged")
    assert kept(state) == [1, 2, 3, 4]


def adopted_directory(state: State, number: int, keep_until: dt.datetime) -> None:
    kept_as = state.layout.adopted_generation("web", number)
    make_root(state.layout.root)
    kept_as.venv.mkdir(parents=True)
    write_adopted(kept_as, Adopted(adopted=LONG_AGO, keep_until=keep_until))
    write_identity_mark(kept_as)


@pytest.mark.parametrize(("keep", "days", "left"), [(1, -1, []), (1, 1, [1]), (3, -1, [1]), (1, None, [1])])
def test_an_adopted_directory_is_kept_for_its_time_or_while_it_is_one_of_the_newest(
    state: State, keep: int, days: int | None, left: list[int]
) -> None:
    until = dt.datetime.now(dt.UTC) + dt.timedelta(days=days or 0)
    adopted_directory(state, 1, until)
    if days is None:
        state.layout.adopted_generation("web", 1).adoption.write_text("damaged")
    assert new_generation(state, "web").number == 2
    made = applied(generation=2, settings={"keep_generations": keep})
    made = replace(made, seal=write_seal(seal_of(made), state.layout.generation("web", 2).seal))
    publish(state.layout, "web", 2)
    state.record(made)
    assert all(not each.kept for each in collect_garbage(state))
    assert state.layout.adopted_numbers("web") == left
    assert (state.layout.adopted / "web").exists() is bool(left)


def test_a_directory_that_is_not_the_recorded_one_is_kept_and_reported(state: State) -> None:
    built(state, 2, settings={"keep_generations": 1})
    generation = state.layout.generation("web", 1)
    generation.directory.rename(generation.directory.with_name("other"))
    generation.venv.mkdir(parents=True)
    (generation.venv / "mine").touch()
    [found] = collect_garbage(state)
    assert (found.kept, bool(found.foreign), found.failure) == (True, True, "")
    assert found.notice == f"`{generation.directory}` was not deleted: {found.foreign}"
    assert (generation.venv / "mine").exists()
    assert state.layout.collected_numbers("web") == []


def test_a_generation_behind_a_link_is_not_deleted(state: State, tmp_path: Path) -> None:
    built(state, 1)
    generations = state.layout.generations("web")
    generations.rename(tmp_path / "elsewhere")
    generations.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ForeignTreeError, match="its path goes through a symbolic link"):
        remove_generation(state.layout, state.layout.generation("web", 1))
    assert (tmp_path / "elsewhere/1").is_dir()


def test_a_failure_is_reported_once(state: State) -> None:
    built(state, 3, settings={"keep_generations": 2})
    generation = state.layout.generation("web", 1)
    state.layout.undeletable.parent.mkdir()
    generation.adoption.mkdir()  # a directory in the place of a file, which is deleted first
    with pytest.raises(OSError, match=r"adopted\.json") as refused:
        generation.adoption.unlink()
    [first] = collect_garbage(state)
    [second] = collect_garbage(state)
    assert first == Removable(name="web", generation=generation, failure=f"adopted.json: {refused.value.strerror}")
    assert first.kept
    assert first.notice == f"`{generation.directory}` could not be deleted: {first.failure}"
    assert second == replace(first, reported=True)
    assert stored_in(state.layout.undeletable) == {"failures": {"web/1": first.failure}}
    assert not state.layout.collected_numbers("web")
    generation.adoption.rmdir()
    [third] = collect_garbage(state)
    assert (third.kept, third.notice) == (False, "")
    assert not state.layout.undeletable.exists()
    assert state.layout.collected_numbers("web") == [1]


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), OSError("broken")])
def test_a_failure_without_a_file_has_its_reason(state: State, error: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    built(state, 2, settings={"keep_generations": 1})

    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("reconciler.apply.collect.remove_tree", fails)
    [found] = collect_garbage(state)
    assert found.failure == (error.strerror or "broken")


@pytest.mark.parametrize(
    ("stored", "reported"),
    [
        ({"failures": {"web/1": "full"}}, True),
        ({"failures": {"web/1": "other"}}, False),
        ({"failures": {"web/2": "full"}}, False),
        ({"failures": ["web/1"]}, False),
        ({}, False),
        (b'{"failures": {"web/1": "full"}}', False),
        (b"{}", False),
        (b"[]", False),
        (b"\xff", False),
        (None, False),
    ],
)
def test_only_the_same_failure_that_envsync_wrote_counts_as_reported(
    state: State, stored: dict[str, Any] | bytes | None, reported: bool
) -> None:
    failed = Removable(name="web", generation=state.layout.generation("web", 1), failure="full")
    deleted = Removable(name="web", generation=state.layout.generation("web", 3))
    state.layout.undeletable.parent.mkdir(parents=True)
    if isinstance(stored, dict):
        write_stored(state.layout.undeletable, stored)
    elif stored is not None:
        state.layout.undeletable.write_bytes(stored)
    assert mark_reported(state.layout, [failed, deleted]) == [replace(failed, reported=reported), deleted]
    assert mark_reported(state.layout, [deleted]) == [deleted]


def test_failures_that_cannot_be_remembered_do_not_matter(state: State) -> None:
    failed = Removable(name="web", generation=state.layout.generation("web", 1), failure="full")
    remember_failures(state.layout, [failed])  # its directory does not exist
    state.layout.undeletable.parent.mkdir(parents=True)
    remember_failures(state.layout, [replace(failed, failure="")])
    assert os.listdir(state.layout.undeletable.parent) == []


def test_the_links_of_an_environment_are_removed_when_nothing_of_it_is_left(state: State) -> None:
    made = built(state, 2, settings={"keep_generations": 1})
    collect_garbage(state)
    assert state.layout.collected_numbers("web") == [1]
    # Its generation was deleted by a person, but it is still recorded.
    generation = state.layout.generation("web", 2)
    remove_generation(state.layout, generation)
    state.layout.environment("web").unlink()
    assert state.applied("web") == made
    collect_garbage(state)
    assert state.layout.collected_numbers("web") == [1]
    (state.layout.generations("web") / "2.collected").symlink_to("current")  # a killed run leaves it
    state.forget("web")
    collect_garbage(state)
    assert not state.layout.generations("web").exists()


def test_a_generation_that_was_never_sealed_leaves_no_link(state: State) -> None:
    built(state, 1)
    generation = new_generation(state, "web")
    [found] = collect_garbage(state)
    assert found.generation == generation
    assert state.layout.collected_numbers("web") == []


def test_what_is_spared_staged_or_used_is_kept(state: State) -> None:
    built(state, 4, settings={"keep_generations": 1})
    staged = new_generation(state, "web")
    write_seal(seal_of(applied(generation=5)), staged.seal)
    note = StagedNote(desired="", prior="", action="", reasons=(), drifted=False, staged=dt.datetime.now(dt.UTC))
    write_staged(state.layout, "web", 5, note)
    used = state.layout.generation("web", 2)
    with used.in_use.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_SH)  # as `envsync run` does
        found = collect_garbage(state, spare=frozenset({("web", 1), ("api", 3)}))
    assert found == [
        Removable(name="web", generation=used, used=True),
        Removable(name="web", generation=state.layout.generation("web", 3)),
    ]
    assert [each.kept for each in found] == [True, False]
    assert found[0].notice == ""
    assert state.layout.generation_numbers("web") == [1, 2, 4, 5]
    assert state.layout.collected_numbers("web") == [3]


def test_only_directories_are_names(state: State) -> None:
    assert generation_names(state.layout) == adopted_names(state.layout) == []
    for name in ("web", "api"):
        state.layout.generations(name).mkdir(parents=True)
        (state.layout.adopted / name).mkdir(parents=True)
    (state.layout.all_generations / "file").touch()
    assert generation_names(state.layout) == adopted_names(state.layout) == ["api", "web"]


def test_a_damaged_file_about_a_deletion_does_not_matter_once_it_exists_again(state: State) -> None:
    built(state, 2, settings={"keep_generations": 1})
    state.layout.all_deleted.mkdir()
    state.layout.deleted("web").write_text("damaged")
    [found] = removable_generations(state, discard=frozenset())
    assert (found.generation.number, found.foreign) == (1, "")
    state.layout.record("web").unlink()
    state.layout.environment("web").unlink()
    adopted_directory(state, 3, LONG_AGO)
    assert all("damaged" in each.foreign for each in removable_generations(state, discard=frozenset()))
    assert [each.generation.number for each in removable_generations(state, discard=frozenset())] == [1, 2, 3]


def test_a_generation_that_was_restored_from_a_backup_is_deleted(state: State) -> None:
    last = built(state, 2, settings={"keep_generations": 1})
    generation = state.layout.generation("web", 1)
    save_inventory(take_inventory(generation.venv, InodeHashes()), generation.inventory)
    shutil.copytree(generation.directory, generation.directory.with_name("copy"), symlinks=True)
    shutil.rmtree(generation.directory)
    generation.directory.with_name("copy").rename(generation.directory)
    (generation.venv / "mine").touch()
    [found] = collect_garbage(state)
    assert found.foreign
    (generation.venv / "mine").unlink()
    [found] = collect_garbage(state)
    assert (found.kept, found.foreign) == (False, "")
    assert state.layout.generation_numbers("web") == [last.generation]
