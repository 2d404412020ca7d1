"""Parts with any number of a character between them are found from left to right."""

import re

import pytest

from reconciler.fs.any_between import any_between


@pytest.mark.parametrize(
    ("parts", "matching", "others"),
    [
        (["a"], ["a"], ["", "ab", "ba"]),
        (["a", "b"], ["ab", "axxb", "abb"], ["a", "b", "ba", "axxbc"]),
        (["a", "b", "c"], ["abc", "axbyc", "abbc"], ["ac", "axyc", "acb"]),
        (["a", "", "c"], ["ac", "axc"], ["a", "c"]),
        (["", "b", ""], ["b", "xby"], ["", "x"]),
    ],
)
def test_only_a_text_with_all_parts_in_order_matches(parts: list[str], matching: list[str], others: list[str]) -> None:
    expression = re.compile(any_between(".", parts))
    assert [each for each in [*matching, *others] if expression.fullmatch(each)] == matching
