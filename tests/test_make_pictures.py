"""The picture tools: terminal output as an SVG that fetches nothing, a page or a comment as a PNG."""

import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from reconciler.render.formats import Format, render_report
from reconciler.render.report import Report
from tests.browser import find_chromium
from tests.render.pictures import CASES, load_plan, plan_text
from tests.render.untrusted import NASTY

TOOL = Path(__file__).parent.parent / "docs" / "make_pictures.py"
SVG = "{http://www.w3.org/2000/svg}"


def picture(text: str, *title: str) -> ET.Element:
    done = subprocess.run([sys.executable, TOOL, *title], input=text.encode(), capture_output=True, check=True)
    drawn = done.stdout.decode()
    assert "@font-face" not in drawn
    assert "url(" not in drawn
    assert drawn.count("http") == 1, "only the namespace"
    return ET.fromstring(drawn)  # noqa: S314  # our own output


def test_a_picture_has_every_word_at_its_position_and_in_its_color() -> None:
    plan = load_plan(CASES / "everything.yaml")
    svg = picture(plan_text(plan, color=True), "envsync", "plan")
    texts = [element for element in svg.iter(f"{SVG}text") if element.get("textLength")]
    words = " ".join(element.text or "" for element in texts).split()
    assert words == plan_text(plan).split()
    assert len({element.get("fill") for element in texts}) >= 5
    assert [element.text for element in svg.iter(f"{SVG}title")] == ["envsync plan"]
    rows = {element.get("y") for element in texts}
    assert len(rows) == len([line for line in plan_text(plan).splitlines() if line])


def test_untrusted_text_stays_text() -> None:
    untrusted = "".join(NASTY).replace("\n", " ").encode("utf-8", "replace").decode().replace("https://", "")
    svg = picture(untrusted + "\n<script>alert(1)</script>", "<b>&")
    assert {element.tag.removeprefix(SVG) for element in svg.iter()} <= {"svg", "title", "rect", "circle", "g", "text"}


PAGES = TOOL.with_name("make_page_pictures.py")


@pytest.mark.skipif(find_chromium() is None, reason="no Chromium is installed (the Debian package is `chromium`)")
@pytest.mark.parametrize(("form", "options"), [(Format.HTML, []), (Format.MARKDOWN, ["--comment"])])
def test_page_and_comment_become_pictures(tmp_path: Path, form: Format, options: list[str]) -> None:
    report = Report(plan=load_plan(CASES / "everything.yaml"), command="plan", file="envs.yaml", places={})
    target = tmp_path / "drawn.png"
    made = [sys.executable, str(PAGES), str(target), "--size", "800x600", *options]
    subprocess.run(made, input=render_report(report, form).encode(), capture_output=True, check=True)
    drawn = target.read_bytes()
    assert drawn.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", drawn[16:24]) == (800, 600)
    assert len(drawn) > 10_000, "a blank page is smaller"


def test_the_pictures_in_the_repository_are_small_enough() -> None:
    kept = sorted((TOOL.parent / "pictures").glob("*.png"))
    assert [each.name for each in kept] == ["comment.png", "report.png"]
    assert all(each.stat().st_size < 300_000 for each in kept)
