"""The logical lines of a requirements file: what is joined, what is left out, and where each part is."""

import pytest

from reconciler.manifest.logical_lines import LogicalLine, logical_lines


def texts(*lines: str) -> list[str]:
    return [each.text for each in logical_lines(lines)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        (["", "  ", "# only a comment", "  # another"], []),
        (["six", " idna # why "], ["six", "idna"]),
        (["six#egg", "a#b # c"], ["six#egg", "a#b"]),
        (["six==\\", "1.0"], ["six==1.0"]),
        (["six \\", "  --hash=a \\", "  --hash=b"], ["six   --hash=a   --hash=b"]),
        (["six \\", "# a comment ends it", "idna"], ["six", "idna"]),
        (["six\\", "#not-one"], ["six"]),
        (["# a comment \\", "six"], ["six"]),
        (["six # a comment \\", "idna"], ["six"]),
        (["six\\"], ["six"]),
        (["six\\", ""], ["six"]),
        (["\\", "\\", "six"], ["six"]),
    ],
)
def test_lines_are_joined_as_pip_joins_them(lines: list[str], expected: list[str]) -> None:
    assert texts(*lines) == expected


def line() -> LogicalLine:
    """Return a line of three physical ones: `  six==1.0 --hash=a`, whose last part is in the third."""
    [found] = logical_lines(["", "  six==\\", "1.0 \\", "--hash=a"])
    assert found.text == "six==1.0 --hash=a"
    return found


@pytest.mark.parametrize(
    ("offset", "width", "place"),
    [
        (None, 1, (2, 3, 5)),
        (0, 3, (2, 3, 3)),
        (3, 10, (2, 6, 2)),
        (5, 3, (3, 1, 3)),
        (9, 6, (4, 1, 6)),
        (9, 60, (4, 1, 8)),
        (17, 1, (4, 9, 1)),
    ],
)
def test_a_part_of_a_line_has_its_place_in_the_file(
    offset: int | None, width: int, place: tuple[int, int, int]
) -> None:
    found = line().place("r.txt", offset, width)
    assert (found.file, found.line, found.column, found.width) == ("r.txt", *place)
