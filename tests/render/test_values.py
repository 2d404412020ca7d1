"""Settings, details and problems as text: what is shown of a value, of many lines, and of many problems."""

import pytest

from reconciler.canonical_json import Json
from reconciler.diff.model import SettingChange
from reconciler.errors import ManifestError, Place, Problem
from reconciler.events import Failure
from reconciler.render.error_text import render_failures, render_problems
from reconciler.render.issue_details import MAX_LINES, first_lines
from reconciler.render.setting_text import setting_lines, setting_path, setting_sentence, setting_value
from reconciler.render.style import Palette
from reconciler.render.text_width import truncate


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (True, "true"),
        ("caf\u00e9 \u65e5", '"caf\u00e9 \u65e5"'),
        ("a\x1b[31m", '"a\\u001b[31m"'),
        (["a", 1], '["a", 1]'),
        ("x" * 58, f'"{"x" * 58}"'),
        ("x" * 59, f'"{"x" * 56}...'),
        ("\u65e5" * 40, f'"{chr(0x65E5) * 28}...'),
    ],
)
def test_a_value_is_json_of_at_most_sixty_columns(value: Json, shown: str) -> None:
    assert setting_value(value, full=False) == shown
    if "..." in shown:
        assert setting_value(value) == f'"{value}"'


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (None, "1", 'env.A: "1"'),
        ("1", None, 'env.A: "1"'),
        ("1", "2", 'env.A: "1" -> "2"'),
        ("https://a:b@c/", "https://a:d@c/", 'env.A: "https://****@c/" (the redacted part changed)'),
        ("x" * 60 + "1", "x" * 60 + "2", f'env.A: "{"x" * 60}1" -> "{"x" * 60}2"'),
    ],
)
def test_two_values_that_look_alike_are_never_shown_as_a_change(
    before: str | None, after: str | None, sentence: str
) -> None:
    assert setting_sentence(SettingChange(path=("env", "A"), before=before, after=after)) == sentence


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (("env", "DEBUG"), "env.DEBUG"),
        (("probes", 0, "timeout"), "probes[0].timeout"),
        (("labels", "a b"), 'labels["a b"]'),
        (("labels", ""), 'labels[""]'),
    ],
)
def test_a_path_is_written_as_in_errors_of_the_manifest(path: tuple[str | int, ...], shown: str) -> None:
    assert setting_path(path) == shown


@pytest.mark.parametrize(
    ("before", "after", "sign"),
    [(None, "1", "\x1b[32m+\x1b[0m"), ("1", None, "\x1b[31m-\x1b[0m"), ("1", "2", "\x1b[33m~\x1b[0m")],
)
def test_a_setting_has_the_sign_of_its_change(before: str | None, after: str | None, sign: str) -> None:
    change = SettingChange(path=("env", "A"), before=before, after=after)
    [line] = setting_lines([change], palette=Palette.chosen(color=True), width=80, full=False)
    assert line.startswith(f"      {sign} env.A: ")


@pytest.mark.parametrize(
    ("number", "kept", "last"),
    [
        (0, 0, ""),
        (1, 1, "0"),
        (MAX_LINES, MAX_LINES, "39"),
        (MAX_LINES + 1, MAX_LINES, "and 2 more"),
        (50, 40, "and 11 more"),
    ],
)
def test_at_most_forty_details_are_kept(number: int, kept: int, last: str) -> None:
    lines = first_lines([str(each) for each in range(number)])
    assert len(lines) == kept
    assert lines[-1:] == ([last] if last else [])


@pytest.mark.parametrize(("number", "more"), [(100, ""), (101, "1 more problems"), (250, "150 more problems")])
def test_at_most_a_hundred_problems_are_shown(number: int, more: str) -> None:
    text = render_problems(
        ManifestError(tuple(Problem(message=f"problem {each}", hint=None) for each in range(number)))
    )
    assert text.count("error: problem ") == 100
    assert ("more problems" in text) is bool(more)
    assert more in text


def test_problems_that_were_not_all_found_are_more_than_those_that_were() -> None:
    problems = tuple(Problem(message=f"problem {each}", hint=None) for each in range(102))
    assert render_problems(ManifestError(problems, incomplete=True)).splitlines()[-1] == (
        "error: more than 1 more problems"
    )


def test_a_problem_has_its_place_its_lines_with_a_mark_and_its_hint() -> None:
    problem = Problem(
        message="no value",
        path="environments.web",
        place=Place(file="envs.yaml", line=1234, column=4),
        hint="write one",
        context=((1233, "a: \u65e5"), (12345, "\u65e5\tb: ")),
        caret=(3, 1),
    )
    assert render_problems(ManifestError((problem, Problem(message="short", hint=None)))).splitlines() == [
        "error: envs.yaml:1234:4: environments.web: no value",
        "  1233 | a: \u65e5",
        " 12345 | \u65e5\\tb:",
        "       |     ^",
        "hint: write one",
        "",
        "error: short",
    ]


def test_environments_that_share_a_failure_are_named_together() -> None:
    failure = Failure(code="lock", message="no index", hint="add one", details=("a\n\tb",))
    failures = {"api": failure, "job": Failure(code="lock", message="other", hint=""), "web": failure}
    assert render_failures(failures, Palette.plain()).splitlines() == [
        "error: api, web: no index",
        "    a",
        "        b",
        "hint: add one",
        "error: job: other",
    ]


@pytest.mark.parametrize(
    ("text", "room", "kept"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "..."),
        ("abcdef", 5, "ab..."),
        ("\u65e5\u65e5\u65e5", 5, "\u65e5..."),
        ("\u65e5\u65e5", 4, "\u65e5\u65e5"),
    ],
)
def test_a_text_that_is_too_wide_is_cut(text: str, room: int, kept: str) -> None:
    assert truncate(text, room) == kept
