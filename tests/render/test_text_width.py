"""The columns that a text takes on a terminal."""

import pytest

from reconciler.render.text_width import cell_width, truncate


@pytest.mark.parametrize(
    ("text", "width"), [("", 0), ("abc", 3), ("\u00e9", 1), ("e\u0301", 1), ("\u65e5\u672c", 4), ("a\u65e5", 3)]
)
def test_wide_characters_take_two_columns_and_combining_ones_none(text: str, width: int) -> None:
    assert cell_width(text) == width
    assert truncate(text, width) == text
    assert cell_width(truncate(f"{text} and more", 5)) <= 5
