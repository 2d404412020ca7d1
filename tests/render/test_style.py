"""When to color, and how."""

import pytest

from reconciler.render.color import want_color
from reconciler.render.style import Palette, Style

CASES: list[tuple[str, bool, dict[str, str], bool]] = [
    ("auto", True, {}, True),
    ("auto", True, {"TERM": "xterm-256color"}, True),
    ("auto", False, {}, False),
    ("auto", True, {"TERM": "dumb"}, False),
    ("auto", True, {"CI": "true"}, False),
    ("auto", True, {"CI": "false"}, True),
    ("auto", True, {"NO_COLOR": "1"}, False),
    ("auto", True, {"NO_COLOR": ""}, True),
    ("auto", False, {"FORCE_COLOR": "1"}, True),
    ("auto", False, {"FORCE_COLOR": "1", "CI": "true", "TERM": "dumb"}, True),
    ("auto", False, {"FORCE_COLOR": "0"}, False),
    ("auto", False, {"FORCE_COLOR": ""}, False),
    ("auto", True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ("always", False, {"NO_COLOR": "1"}, True),
    ("never", True, {"FORCE_COLOR": "1"}, False),
]


@pytest.mark.parametrize(("mode", "terminal", "environ", "expected"), CASES, ids=str)
def test_color_is_wanted(mode: str, terminal: bool, environ: dict[str, str], expected: bool) -> None:
    assert want_color(mode, terminal, environ) is expected


def test_palette_paints_or_does_not() -> None:
    assert Palette.chosen(color=True).paint("x", Style.GOOD) == "\x1b[32mx\x1b[0m"
    assert Palette.chosen(color=True).paint("", Style.GOOD) == ""
    assert Palette.chosen(color=True).paint("x", None) == "x"
    assert Palette.plain().paint("x", Style.GOOD) == "x"
