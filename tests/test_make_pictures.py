"""The picture tool: terminal output as an SVG that fetches nothing."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from tests.render.hostile import NASTY
from tests.render.pictures import CASES, load_plan, plan_text

TOOL = Path(__file__).parent.parent / "docs" / "make_pictures.py"
SVG = "{http://www.w3.org/2000/svg}"


def picture(text: str, *title: str) -> ET.Element:
    done = subprocess.run([sys.executable, TOOL, *title], input=text.encode(), capture_output=True, check=True)
    drawn = done.stdout.decode()
    assert "@font-face" not in drawn
    assert "url(" not in drawn
    assert drawn.count("http") == 1, "the namespace alone"
    return ET.fromstring(drawn)  # noqa: S314  # our own output


def test_picture_holds_every_word_in_its_place_and_colour() -> None:
    plan = load_plan(CASES / "everything.yaml")
    svg = picture(plan_text(plan, color=True), "envsync", "plan")
    texts = [element for element in svg.iter(f"{SVG}text") if element.get("textLength")]
    words = " ".join(element.text or "" for element in texts).split()
    assert words == plan_text(plan).split()
    assert len({element.get("fill") for element in texts}) >= 5
    assert [element.text for element in svg.iter(f"{SVG}title")] == ["envsync plan"]
    rows = {element.get("y") for element in texts}
    assert len(rows) == len([line for line in plan_text(plan).splitlines() if line])


def test_hostile_text_stays_text() -> None:
    hostile = "".join(NASTY).replace("\n", " ").encode("utf-8", "replace").decode().replace("https://", "")
    svg = picture(hostile + "\n<script>alert(1)</script>", "<b>&")
    assert {element.tag.removeprefix(SVG) for element in svg.iter()} <= {"svg", "title", "rect", "circle", "g", "text"}
