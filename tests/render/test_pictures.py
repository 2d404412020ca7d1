"""Every plan of tests/cases/render looks exactly as its pictures there."""

from pathlib import Path

import pytest

from tests.render.pictures import CASES, PICTURES, drawn, load_plan, place

WORLDS = sorted(CASES.glob("*.yaml"))


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("file", WORLDS, ids=lambda path: path.stem)
def test_plan_looks_as_drawn(file: Path, name: str) -> None:
    assert drawn(name, load_plan(file)) == place(file, name).read_text(encoding="utf-8")


def test_no_picture_is_left_over() -> None:
    drawn_ones = {place(file, name).name for file in WORLDS for name in PICTURES}
    assert {path.name for path in CASES.iterdir()} == drawn_ones | {file.name for file in WORLDS}
