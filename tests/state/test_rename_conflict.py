"""A rename is refused if an earlier environment of the new name used the number of one of its generations."""

from pathlib import Path

import pytest

from reconciler.state.former_name import generation_link
from reconciler.state.layout import Layout
from reconciler.state.rename_conflict import conflicting_numbers, first_conflicts
from reconciler.state.store import State
from tests.state.records import applied, sealed


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Return a root with generations 1, 2 and 3 of `web`."""
    layout = State.at(tmp_path).layout
    for number in (1, 2, 3):
        sealed(layout, applied(generation=number))
    layout.generations("site").mkdir()
    return layout


def test_numbers_that_are_not_used_do_not_conflict(layout: Layout) -> None:
    (layout.generations("site") / "4").mkdir()
    assert conflicting_numbers(layout, "web", "site") == []
    assert conflicting_numbers(layout, "none", "site") == []


def test_a_directory_or_any_link_conflicts_except_the_link_of_a_rename_that_was_killed(layout: Layout) -> None:
    (layout.generations("site") / "1").symlink_to(generation_link("web", 1))
    assert conflicting_numbers(layout, "web", "site") == []
    (layout.generations("site") / "2").mkdir()
    (layout.generations("site") / "3").symlink_to(generation_link("web", 1))
    assert conflicting_numbers(layout, "web", "site") == [2, 3]
    assert first_conflicts(layout, {"site": "web", "shop": "web"}) == {"site": 2}


def test_generations_that_are_in_the_directory_of_the_new_name_do_not_conflict(layout: Layout) -> None:
    """The environment was called `site` when they were built, was renamed to `web`, and is renamed back."""
    site = layout.generation("site", 4)
    site.directory.mkdir()
    (site.directory / "renamed").symlink_to("web")
    (layout.generations("web") / "4").symlink_to(generation_link("site", 4))
    assert layout.generation("web", 4).home == "site"
    assert conflicting_numbers(layout, "web", "site") == []
