"""The links that collected generations leave: when they are made, redirected and deleted, and what is never touched."""

import os
from pathlib import Path

import pytest

from reconciler.apply.collected_path import begin_collection, keep_paths, make_current, redirect_paths, remove_paths
from reconciler.state.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Return a root with generation 9 of `web`, and one of `site` that was built as `web`."""
    found = Layout(tmp_path)
    for name, number in (("web", 9), ("web", 8), ("site", 20)):
        found.generation(name, number).venv.mkdir(parents=True)
    (found.generations("web") / "8/renamed").symlink_to("site")
    (found.generations("site") / "8").symlink_to("../web/8")
    return found


def links(layout: Layout, name: str) -> dict[str, str]:
    """Return the texts of the links in the directory of an environment's generations."""
    directory = layout.generations(name)
    return {
        each: str((directory / each).readlink())
        for each in sorted(os.listdir(directory))
        if (directory / each).is_symlink()
    }


def current(layout: Layout, name: str) -> str:
    """Return the text of the link `current/venv`, empty if there is none."""
    path = layout.generations(name) / "current/venv"
    return str(path.readlink()) if path.is_symlink() else ""


def test_the_note_of_a_collection_is_the_link_that_it_leaves(layout: Layout) -> None:
    begin_collection(layout, "web", layout.generation("web", 9))
    begin_collection(layout, "web", layout.generation("web", 9))
    begin_collection(layout, "site", layout.generation("site", 8))
    assert links(layout, "web") == {"8.collected": "../site/current", "9.collected": "current"}
    begin_collection(layout, "gone", layout.generation("gone", 1))


def test_noted_and_given_generations_get_a_link_and_the_note_goes_when_the_generation_is_gone(layout: Layout) -> None:
    place = layout.generations("web")
    for name, text in (("1.collected", "current"), ("8.collected", "current"), ("9.collected", "current")):
        (place / name).symlink_to(text)
    for name in ("x.collected", "3.other"):
        (place / name).symlink_to("current")
    keep_paths(layout, "web", {2: "current", 4: "../site/current", 5: "../gone/current", 6: "elsewhere"}, gone=["gone"])
    assert links(layout, "web") == {
        "1": "current",
        "2": "current",
        "3.other": "current",
        "4": "../site/current",
        "8.collected": "current",
        "9.collected": "current",
        "x.collected": "current",
    }
    assert (current(layout, "web"), current(layout, "site")) == ("../../../../web", "../../../../site")


def test_what_has_the_number_is_not_replaced(layout: Layout) -> None:
    place = layout.generations("web")
    (place / "1").symlink_to("mine")
    (place / "2").write_text("mine")
    keep_paths(layout, "web", {1: "current", 2: "current", 9: "current"}, gone=())
    assert (links(layout, "web"), (place / "2").read_text()) == ({"1": "mine"}, "mine")
    assert not (place / "current").exists()


@pytest.mark.parametrize("foreign", ["a file", "a link", "another link inside"])
def test_without_a_current_of_envsync_no_link_is_made(foreign: str, layout: Layout) -> None:
    place = layout.generations("web")
    if foreign == "a file":
        (place / "current").touch()
    elif foreign == "a link":
        (place / "current").symlink_to("9")
    else:
        (place / "current").mkdir()
        (place / "current/venv").symlink_to("mine")
    assert not make_current(layout, "web")
    keep_paths(layout, "web", {1: "current"}, gone=())
    assert "1" not in links(layout, "web")
    assert not make_current(layout, "unknown")


def test_links_to_what_is_gone_are_deleted(layout: Layout) -> None:
    place = layout.generations("web")
    make_current(layout, "site")
    for name, text in (("1", "../site/current"), ("2", "../gone/current"), ("3", "../site/3"), ("4", "../Site/4")):
        (place / name).symlink_to(text)
    keep_paths(layout, "web", {}, gone=())
    assert links(layout, "web") == {"1": "../site/current", "4": "../Site/4"}
    keep_paths(layout, "site", {}, gone=())
    assert links(layout, "site") == {"8": "../web/8"}


def test_a_renamed_environment_is_named_in_every_link(layout: Layout) -> None:
    make_current(layout, "web")
    for home, name, text in (
        ("web", "1", "current"),
        ("web", "2", "../other/current"),
        ("web", "1.collected", "left by a killed run"),
        ("site", "3", "../web/current"),
        ("site", "4", "current"),
    ):
        (layout.generations(home) / name).symlink_to(text)
    (layout.all_generations / "linked").symlink_to("web")
    (layout.all_generations / "file").touch()
    redirect_paths(layout, "web", "site")
    assert links(layout, "web") == {"1": "../site/current", "2": "../other/current"}
    assert links(layout, "site") == {"3": "current", "4": "current", "8": "../web/8"}
    assert (current(layout, "site"), (layout.generations("web") / "current").exists()) == ("../../../../site", False)


def test_a_rename_without_links_makes_none(layout: Layout) -> None:
    make_current(layout, "web")
    redirect_paths(layout, "site", "new")
    assert (current(layout, "web"), current(layout, "new")) == ("../../../../web", "")
    assert links(layout, "web") == {}


def test_the_links_of_a_deleted_environment_go_with_its_directory(layout: Layout) -> None:
    layout.generation("old", 3).directory.parent.mkdir()
    place = layout.generations("old")
    make_current(layout, "old")
    for name, text in (("1", "current"), ("2.collected", "current"), ("4", "../gone/current")):
        (place / name).symlink_to(text)
    remove_paths(layout, "old")
    assert not place.exists()


def test_a_directory_with_something_else_stays_and_is_an_error(layout: Layout) -> None:
    place = layout.generations("old")
    place.mkdir()
    (place / "1").symlink_to("current")
    (place / "2.collected").symlink_to("mine")
    with pytest.raises(OSError, match="not empty"):
        remove_paths(layout, "old")
    assert links(layout, "old") == {"2.collected": "mine"}


def test_a_directory_with_generations_of_another_name_stays_without_an_error(layout: Layout) -> None:
    (layout.generations("web") / "9/venv").rmdir()
    (layout.generations("web") / "9").rmdir()
    remove_paths(layout, "web")
    assert os.listdir(layout.generations("web")) == ["8"]
