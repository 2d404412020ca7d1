"""The links at the paths of environments: what is published, replaced, left at a former path, and never touched."""

import os
from functools import partial
from pathlib import Path

import pytest

from reconciler.apply.publish import (
    finish_adoptions,
    leave_former_path,
    publish,
    remove_former_path,
    remove_leftover_links,
    unpublish,
)
from reconciler.errors import ApplyError
from reconciler.state.layout import Layout
from reconciler.state.store import State
from tests.state.generations import new_generation
from tests.state.records import applied, sealed

HINT = "move it to a different path, or take over a virtual environment with `envsync apply --adopt`"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Return a root with the generations 1 to 3 of `web`; nothing is published."""
    state = State.at(tmp_path)
    for number in (1, 2, 3):
        sealed(state.layout, applied(generation=number))
        for mark in ("unpublished", "staged.json"):
            (state.layout.generation("web", number).directory / mark).touch()
    return state.layout


def marks(layout: Layout, name: str) -> list[int]:
    """Return the generations that have a file `name`."""
    return [each for each in (1, 2, 3) if (layout.generation("web", each).directory / name).exists()]


def link(layout: Layout, name: str = "web") -> str:
    return os.readlink(layout.environment(name))  # noqa: PTH115  # the text itself


def test_a_generation_is_published_first_and_in_the_place_of_another(layout: Layout) -> None:
    publish(layout, "web", 1)
    assert link(layout) == ".envsync/generations/web/1/venv"
    assert (marks(layout, "unpublished"), marks(layout, "staged.json")) == ([2, 3], [2, 3])
    (layout.envsync_directory / "publish.web").symlink_to("left by a killed run")
    publish(layout, "web", 2)
    assert link(layout) == ".envsync/generations/web/2/venv"
    assert (marks(layout, "unpublished"), marks(layout, "staged.json")) == ([3], [3])
    assert not os.path.lexists(layout.envsync_directory / "publish.web")
    publish(layout, "web", 2)
    assert link(layout) == ".envsync/generations/web/2/venv"


@pytest.mark.parametrize("foreign", ["file", "directory", "link", "dangling link"])
def test_what_envsync_did_not_make_is_neither_replaced_nor_removed(
    foreign: str, layout: Layout, tmp_path: Path
) -> None:
    path = layout.environment("web")
    if foreign == "file":
        path.write_text("mine")
    elif foreign == "directory":
        path.mkdir()
    else:
        path.symlink_to(tmp_path if foreign == "link" else "nowhere")
    before = path.lstat()
    for change in (partial(publish, layout, "web", 1), partial(unpublish, layout, "web")):
        with pytest.raises(ApplyError) as caught:
            change()
        message = f"`{path}` is not managed by envsync: it is not a symbolic link that envsync made"
        assert (caught.value.message, caught.value.hint) == (message, HINT)
        assert caught.value.__cause__ is None
        assert path.lstat().st_ino == before.st_ino
    assert marks(layout, "unpublished") == [1, 2, 3]


def test_a_former_path_is_replaced(layout: Layout) -> None:
    layout.environment("web").symlink_to(".envsync/../site")
    publish(layout, "web", 1)
    assert link(layout) == ".envsync/generations/web/1/venv"


def test_every_former_path_points_to_the_present_name(layout: Layout) -> None:
    publish(layout, "web", 1)
    (layout.root / "first").symlink_to(".envsync/../web")
    (layout.root / "site").symlink_to(".envsync/../web")
    (layout.root / "unrelated").symlink_to(".envsync/../other")
    (layout.root / "foreign").symlink_to("web")
    leave_former_path(layout, "web", "site")
    links = {name: link(layout, name) for name in ("web", "first", "site", "unrelated", "foreign")}
    assert links == {
        "web": ".envsync/../site",
        "first": ".envsync/../site",
        "site": ".envsync/../web",  # its new path, which `publish` writes
        "unrelated": ".envsync/../other",
        "foreign": "web",
    }


def test_a_former_path_stays_as_long_as_a_generation_was_built_under_it(layout: Layout) -> None:
    path = layout.environment("web")
    publish(layout, "web", 1)
    remove_former_path(layout, "web")
    assert link(layout) == ".envsync/generations/web/1/venv", "it is not a former path"
    path.unlink()
    path.symlink_to(".envsync/../site")
    (layout.generation("web", 1).directory / "renamed").symlink_to("site")
    remove_former_path(layout, "web")
    assert link(layout) == ".envsync/../site"
    (layout.generation("web", 1).directory / "renamed").unlink()
    remove_former_path(layout, "web")
    assert not os.path.lexists(path)


def test_only_links_that_were_not_published_are_left_over(layout: Layout) -> None:
    directory = layout.envsync_directory
    (directory / "publish.web").symlink_to("x")
    (directory / "publish.file").touch()
    (directory / "other.web").symlink_to("x")
    remove_leftover_links(layout)
    left = sorted(each for each in os.listdir(directory) if "." in each)
    assert left == ["other.web", "publish.file", "root.json"]


def test_an_adoption_whose_directory_is_gone_is_forgotten(tmp_path: Path) -> None:
    """Only numbers are generations, and a directory with something else in it stays."""
    state = State.at(tmp_path)
    new_generation(state, "web")
    for name in ("1", "2", "1x"):
        directory = state.layout.adopted / "web" / name
        directory.mkdir(parents=True)
        (directory / "adopted.json").touch()
    (state.layout.adopted / "web/2/other").touch()
    (state.layout.adopted / "web/3").mkdir()
    assert finish_adoptions(state.layout) == []
    assert sorted(os.listdir(state.layout.adopted / "web")) == ["1x", "2"]
    assert os.listdir(state.layout.adopted / "web/2") == ["other"]
    assert os.listdir(state.layout.adopted / "web/1x") == ["adopted.json"]
