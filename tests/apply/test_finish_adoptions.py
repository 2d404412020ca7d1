"""An adoption that was interrupted is finished or undone: the user's own directory is never lost."""

from pathlib import Path

import pytest

from reconciler.apply.publish import _MOVING, finish_adoptions
from reconciler.fs.sync import sync_directory
from reconciler.state.layout import Layout
from tests.observed_calls import observed_calls


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "root")


@pytest.fixture
def moving(layout: Layout) -> Path:
    """Return the place at which the user's directory is, or will be, during the adoption of `web`."""
    place = layout.adopted / "web" / "20260101"
    place.mkdir(parents=True)
    return place / _MOVING


def own(path: Path) -> Path:
    path.mkdir(parents=True)
    (path / "own.txt").write_text("precious")
    return path


def test_before_the_exchange_only_our_link_is_removed(layout: Layout, moving: Path) -> None:
    own(layout.environment("web"))
    moving.symlink_to("/none")
    assert finish_adoptions(layout) == []
    assert not moving.is_symlink()
    assert (layout.environment("web") / "own.txt").read_text() == "precious"


def test_after_the_exchange_it_is_finished(layout: Layout, moving: Path) -> None:
    own(moving)
    layout.environment("web").symlink_to("/none")
    with observed_calls(sync_directory) as flushed:
        assert finish_adoptions(layout) == []
    assert moving.parent in [arguments["path"] for _, arguments in flushed], "a power cut does not undo the move"
    assert not moving.exists()
    [kept] = list(layout.adopted.rglob("own.txt"))
    assert kept.read_text() == "precious"
    assert layout.environment("web").is_symlink()


def test_without_a_link_the_directory_is_moved_back(layout: Layout, moving: Path) -> None:
    own(moving)
    assert finish_adoptions(layout) == ["web"]
    assert (layout.environment("web") / "own.txt").read_text() == "precious"
    assert not moving.exists()


def test_an_adoption_that_was_killed_before_the_move_is_forgotten_and_one_after_it_is_marked(layout: Layout) -> None:
    before, after = layout.adopted_generation("web", 2), layout.adopted_generation("web", 4)
    for each in (before, after):
        each.directory.mkdir(parents=True)
        each.adoption.write_text("{}")
    own(after.venv)
    assert finish_adoptions(layout) == []
    assert not before.directory.exists()
    assert layout.adopted_numbers("web") == [4]
    after.identity.unlink()
    (after.venv / "own.txt").unlink()
    after.venv.rmdir()
    after.venv.symlink_to("/none")  # envsync does not make links here, so it leaves it alone
    assert finish_adoptions(layout) == []
    assert after.adoption.exists()


@pytest.mark.parametrize("level", ["name", "time"])
def test_nothing_behind_a_link_is_moved(layout: Layout, moving: Path, tmp_path: Path, level: str) -> None:
    own(moving)
    linked = moving.parent.parent if level == "name" else moving.parent
    linked.rename(tmp_path / "elsewhere")
    linked.symlink_to(tmp_path / "elsewhere")
    assert finish_adoptions(layout) == []
    assert (moving / "own.txt").read_text() == "precious"
    assert not layout.environment("web").exists()


def test_without_adoptions_nothing_happens(layout: Layout) -> None:
    assert finish_adoptions(layout) == []
    layout.adopted.mkdir(parents=True)
    assert finish_adoptions(layout) == []
