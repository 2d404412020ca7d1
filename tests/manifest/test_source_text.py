"""The lines that an error shows: the line of its place and the one before it, cut around the place, and redacted."""

import pytest

from reconciler.errors import Place, Problem
from reconciler.manifest.source_text import format_key_path, problem_at

LINES = ("version: 1", "", "project: acme", "url: https://u:hunter2@host.example/simple", "last: x")
LONG = "".join(f"{number:03}." for number in range(100))


def problem(line: int, column: int = 1, width: int = 1, lines: tuple[str, ...] = LINES) -> Problem:
    place = Place(file="envs.yaml", line=line, column=column, width=width)
    return problem_at(place, lines, "no value", path="a.b", hint="write one")


@pytest.mark.parametrize(
    ("line", "context"),
    [
        (0, ()),
        (1, ((1, LINES[0]),)),
        (2, ((1, LINES[0]), (2, ""))),
        (3, ((3, LINES[2]),)),
        (5, ((4, "url: https://****@host.example/simple"), (5, "last: x"))),
        (6, ()),
    ],
)
def test_the_line_and_the_one_before_it_are_shown_if_they_exist(
    line: int, context: tuple[tuple[int, str], ...]
) -> None:
    found = problem(line)
    assert found.context == context
    assert found.caret == ((1, 1) if context else None)
    assert (found.message, found.path, found.hint) == ("no value", "a.b", "write one")


def test_a_problem_without_a_hint_has_none() -> None:
    assert problem_at(Place(file="x", line=1, column=1), (), "no value", hint="").hint is None


@pytest.mark.parametrize(
    ("column", "width", "caret"),
    [
        (1, 3, (1, 3)),
        (6, 37, (6, 32)),
        (24, 19, (19, 19)),
        (37, 1, (32, 1)),
    ],
)
def test_the_mark_moves_with_what_was_redacted(column: int, width: int, caret: tuple[int, int]) -> None:
    assert problem(4, column, width).caret == caret


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("https://ada:hunter2@host.example", "rename it, for example to `https-ada-hunter2`"),
        ("https://ada:Hunter2@host.example", "rename it, for example to `https-ada-hunter2`"),
        ("https://ada:hunter2@host.example", 'write `labels: {https: "//ada:hunter2@host.example"}`'),
        ("https://host.example/?token=hunter2", "rename it, for example to `https-host-example-token-hunter2`"),
    ],
    ids=["name", "name in lower case", "mapping", "parameter"],
)
def test_a_hint_that_was_made_from_a_secret_is_left_out(value: str, hint: str) -> None:
    place = Place(file="envs.yaml", line=1, column=7, width=len(value))
    assert problem_at(place, (f"name: {value}",), "no value", hint=hint).hint is None
    kept = "keep credentials out of files: use netrc for `host.example`"
    assert problem_at(place, (f"name: {value}",), "no value", hint=kept).hint == kept


@pytest.mark.parametrize("column", [1, 20, 100, 200, 390, 400])
def test_a_long_line_is_cut_around_the_place(column: int) -> None:
    found = problem(1, column, lines=(LONG,))
    [(_, shown)] = found.context
    assert found.caret is not None
    assert shown[found.caret[0] - 1] == LONG[column - 1]
    kept = shown.removeprefix("... ").removesuffix(" ...")
    assert kept in LONG
    assert len(kept) == 110
    assert shown.startswith("... ") is not LONG.startswith(kept)
    assert shown.endswith(" ...") is not LONG.endswith(kept)


@pytest.mark.parametrize(("length", "shown"), [(110, 110), (111, 110 + len(" ..."))])
def test_only_a_line_that_is_too_long_is_cut(length: int, shown: int) -> None:
    [(_, text)] = problem(1, lines=(LONG[:length],)).context
    assert len(text) == shown


def test_a_key_path_is_shown_as_it_would_be_written() -> None:
    assert format_key_path(("environments", "web", "packages", 1)) == "environments.web.packages[1]"
    assert format_key_path(("a b", "é", 'q"')) == '["a b"]["é"]["q\\""]'
    assert format_key_path((0, "a-b")) == "[0].a-b"
