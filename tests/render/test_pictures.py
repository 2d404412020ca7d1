"""Every plan of tests/cases/render looks exactly as its pictures there."""

from pathlib import Path

import pytest

from tests.render.pictures import CASES, drawn, load_plan, pictures_of, place

WORLDS = sorted(CASES.glob("*.yaml"))
PICTURES = [(file, name) for file in WORLDS for name in pictures_of(file)]


@pytest.mark.parametrize(("file", "name"), PICTURES, ids=[place(*each).name for each in PICTURES])
def test_plan_looks_as_drawn(file: Path, name: str) -> None:
    expected = place(file, name)
    assert expected.exists(), f"run `python -m tests.render.pictures`, and review {expected.name} in tests/cases/render"
    assert drawn(name, load_plan(file)) == expected.read_text(encoding="utf-8"), (
        f"if the new output is intended, run `python -m tests.render.pictures` and review {expected.name}"
    )


def test_no_picture_is_left_over() -> None:
    drawn_ones = {place(*each).name for each in PICTURES}
    left_over = {path.name for path in CASES.iterdir()} - drawn_ones - {file.name for file in WORLDS}
    assert not left_over, "delete these files from tests/cases/render"
