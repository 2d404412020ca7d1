"""Only directories that envsync made as a generation are deleted as one."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.apply.collect import remove_generation
from reconciler.fs.remove_tree import ForeignTreeError
from reconciler.state.generation_identity import write_identity_mark
from reconciler.state.layout import Generation
from reconciler.state.store import State
from tests.state.generations import new_generation

Change = Callable[[Generation, Path], None]


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State.at(tmp_path / "root")


@pytest.fixture
def made(state: State) -> Generation:
    """An unfinished generation with a file in its venv."""
    generation = new_generation(state, "web")
    (generation.venv / "module.py").write_text("")
    return generation


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A directory of the user that looks like a generation."""
    place = tmp_path / "precious"
    (place / "venv").mkdir(parents=True)
    (place / "venv/thesis.txt").write_text("mine")
    return place


def put(precious: Path, place: Path) -> None:
    shutil.rmtree(place)
    precious.rename(place)


def another_directory(made: Generation, precious: Path) -> None:
    put(precious, made.directory)


def another_venv(made: Generation, precious: Path) -> None:
    put(precious / "venv", made.venv)


def another_directory_with_its_mark(made: Generation, precious: Path) -> None:
    shutil.copy2(made.identity, precious / made.identity.name, follow_symlinks=False)
    put(precious, made.directory)


def no_mark(made: Generation, _precious: Path) -> None:
    made.identity.unlink()


def a_mark_that_is_a_file(made: Generation, _precious: Path) -> None:
    text = os.fspath(made.identity.readlink())
    made.identity.unlink()
    made.identity.write_text(text)


def a_link(made: Generation, precious: Path) -> None:
    shutil.rmtree(made.directory)
    made.directory.symlink_to(precious)


def a_link_for_a_venv(made: Generation, precious: Path) -> None:
    shutil.rmtree(made.venv)
    made.venv.symlink_to(precious / "venv")


def another_generation(made: Generation, _precious: Path) -> None:
    other = new_generation(State.at(made.directory.parents[3]), "web")
    put(other.directory, made.directory)


@pytest.mark.parametrize(
    "change",
    [
        another_directory,
        another_venv,
        another_directory_with_its_mark,
        no_mark,
        a_mark_that_is_a_file,
        a_link,
        a_link_for_a_venv,
        another_generation,
    ],
)
def test_a_directory_that_envsync_did_not_make_is_kept(
    change: Change, made: Generation, precious: Path, state: State
) -> None:
    change(made, precious)
    before = sorted(state.layout.root.rglob("*"))
    with pytest.raises(ForeignTreeError):
        remove_generation(state.layout, made)
    assert sorted(state.layout.root.rglob("*")) == before
    assert len(list(state.layout.root.parent.rglob("thesis.txt"))) == 1


def test_a_generation_is_deleted_also_after_it_was_marked_again(made: Generation, state: State, tmp_path: Path) -> None:
    made.directory.rename(tmp_path / "made")
    shutil.copytree(tmp_path / "made", made.directory, symlinks=True)
    with pytest.raises(ForeignTreeError):
        remove_generation(state.layout, made)
    write_identity_mark(made)
    remove_generation(state.layout, made)
    assert not made.directory.exists()
    (tmp_path / "made").rename(made.directory)
    remove_generation(state.layout, made)
    assert not made.directory.exists()


@pytest.mark.parametrize("left", ["nothing", "venv", "mark"])
def test_what_a_killed_run_left_before_or_after_the_mark_is_deleted(left: str, made: Generation, state: State) -> None:
    shutil.rmtree(made.venv)
    if left != "mark":
        made.identity.unlink()
    if left == "venv":
        made.venv.mkdir()
    remove_generation(state.layout, made)
    assert not made.directory.exists()
