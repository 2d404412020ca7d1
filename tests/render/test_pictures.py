"""Every plan of tests/cases/render looks exactly as its pictures there."""

from pathlib import Path

import pytest

from tests.render.pictures import CASES, drawn, pictures_of, place

WORLDS = sorted(CASES.glob("*.yaml"))
PICTURES = {place(file, name): (file, name) for file in WORLDS for name in pictures_of(file)}
COMMAND = "`python -m tests.render.pictures`"


@pytest.mark.parametrize("picture", [each for each in PICTURES if each.exists()], ids=lambda path: path.name)
def test_plan_looks_as_drawn(picture: Path) -> None:
    file, name = PICTURES[picture]
    assert drawn(name, file) == picture.read_text(encoding="utf-8"), (
        f"if the new output is intended, run {COMMAND} and review {picture.name}"
    )


def test_no_picture_is_missing_and_none_is_left_over() -> None:
    missing = sorted(each.name for each in PICTURES if not each.exists())
    assert not missing, f"run {COMMAND}, and review these files in tests/cases/render"
    left_over = {path.name for path in CASES.iterdir()} - {path.name for path in (*PICTURES, *WORLDS)}
    assert not left_over, "delete these files from tests/cases/render"
