"""Properties of every plan's text: its width, its agreement with the plan, and color that adds no meaning."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.model import Action, Plan
from reconciler.render.drift_status import DriftStatus, drift_status
from reconciler.render.escape import sanitize
from reconciler.render.layout import Segment, entry_lines
from reconciler.render.style import Palette, Style
from reconciler.render.text_width import cell_width, truncate
from tests.render.pictures import check_text, load_plan, plan_text, status_text
from tests.render.untrusted import texts

WORLDS = sorted((Path(__file__).parent.parent / "cases").glob("[pr]*/*.yaml"))
SGR = re.compile(r"\x1b\[[\d;]*m")


@cache
def plan_of(path: Path) -> Plan:
    return load_plan(path)


def assert_fits(text: str, width: int) -> None:
    for line in text.splitlines():
        assert cell_width(line) <= width or " " not in line.strip(), line


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
def test_lines_fit_the_width_and_no_two_are_empty(path: Path) -> None:
    for width in (20, 33, 50, 80, 120):
        for text in (plan_text(plan_of(path), width=width), check_text(plan_of(path), width=width, verbose=1)):
            assert_fits(text, width)
            assert text.endswith(".\n") or "hint:" in text or "note:" in text
            assert "\n\n\n" not in text
            assert not re.search(r"[ \t]$", text, re.MULTILINE)
        assert_fits(status_text(plan_of(path), width=max(width, 40)), max(width, 40))


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
def test_color_adds_sequences_and_nothing_else(path: Path) -> None:
    plan = plan_of(path)
    for render in (plan_text, check_text, status_text):
        plain, painted = render(plan), render(plan, color=True)
        assert "\x1b" not in plain
        assert SGR.sub("", painted) == plain


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
def test_the_text_agrees_with_the_plan(path: Path) -> None:
    plan = plan_of(path)
    text, check = plan_text(plan, width=999), check_text(plan, width=999)
    assert text.startswith("No changes. ") is check.startswith("No drift. ") is (not plan.has_difference)
    assert ("\nPlan: " in text) is ("\nCheck: " in check) is plan.has_difference
    unchanged = [each for each in plan.environments if drift_status(each) is DriftStatus.OK]
    assert len(plan.environments) - len(unchanged) == len(plan.changes)
    for each in plan.changes:
        assert each.name in text
        for reason in each.blocked:
            assert reason.message in text
        if not each.blocked and each.action is not Action.NO_OP:
            assert f"{each.action.value}: " in text
            assert all(reason.message in text for reason in each.reasons if reason.code != "new")
        assert all(hint in text for hint in each.hints)


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
def test_verbose_names_every_package_and_every_file(path: Path) -> None:
    plan = plan_of(path)
    text = plan_text(plan, width=999, verbose=2)
    for each in plan.environments:
        assert each.name in text
        for package in each.packages:
            assert f" {package.name} " in text
            assert all(Path(file).name in text for file in package.files)


def test_summary_counts_only_what_there_is() -> None:
    plan = plan_of(next(path for path in WORLDS if path.stem == "new"))
    assert plan_text(plan).splitlines()[-1] == "Plan: 2 to create."
    empty: Any = plan.__class__(
        **{name: getattr(plan, name) for name in ("project", "root", "manifest", "locks", "depth")}, environments=()
    )
    assert plan_text(empty) == "No changes. No environments are declared in `envs.yaml`.\n"
    assert status_text(empty) == "The manifest declares no environments.\n"


@given(
    head=st.lists(texts, max_size=4),
    tail=st.lists(texts, max_size=3),
    width=st.integers(5, 100),
    indent=st.integers(0, 4),
)
def test_layout_keeps_every_word_and_the_width(head: list[str], tail: list[str], width: int, indent: int) -> None:
    columns = [Segment(text=sanitize(each), style=Style.GOOD, width=6) for each in head]
    words = [Segment(text=sanitize(each)) for each in tail]
    lines = entry_lines(columns, words, palette=Palette.plain(), width=width, indent=indent)
    assert "".join("".join(lines).split(" ")) == "".join("".join(piece.text for piece in [*columns, *words]).split(" "))
    for line in lines:
        assert cell_width(line) <= width or " " not in line.strip(" ")


@given(text=st.text(max_size=50), room=st.integers(3, 40))
def test_cut_text_fits(text: str, room: int) -> None:
    kept = truncate(text, room)
    assert cell_width(kept) <= room
    assert kept == text or kept.endswith("...")


def test_cells_count_wide_and_combining_characters() -> None:
    assert [cell_width(each) for each in ("abc", "\u65e5\u672c", "e\u0301", "")] == [3, 4, 1, 0]
