"""A table: faint titles, aligned columns, and what happens if it is too wide."""

import pytest

from reconciler.render.layout import Segment, table_text
from reconciler.render.style import Palette

TITLES = ("name", "state", "python")
ROWS = [[Segment(text=each) for each in row] for row in (("web", "as declared", "3.12"), ("api-server", "new", ""))]
WHOLE = ["name        state        python", "web         as declared  3.12", "api-server  new"]


def lines(width: int, *, drop_columns: bool = False) -> list[str]:
    text = table_text(TITLES, ROWS, palette=Palette.plain(), width=width, drop_columns=drop_columns)
    assert text.endswith("\n")
    return [each.rstrip() for each in text.splitlines()]


def test_only_the_titles_are_faint() -> None:
    palette = Palette.chosen(color=True)
    first, *others = table_text(TITLES, ROWS, palette=palette, width=80).splitlines()
    assert all(first.count(f"\x1b[2m{each}\x1b[0m") == 1 for each in TITLES)
    assert "\x1b" not in "".join(others)


def test_columns_are_aligned() -> None:
    assert lines(80) == WHOLE


@pytest.mark.parametrize(("width", "columns"), [(31, 3), (30, 2), (5, 2)])
def test_columns_are_left_out_from_the_right_but_the_first_two(width: int, columns: int) -> None:
    found = lines(width, drop_columns=True)
    assert ("python" in found[0]) is (columns == 3)
    assert ("3.12" in "".join(found)) is (columns == 3)
    assert "state" in "".join(found)
