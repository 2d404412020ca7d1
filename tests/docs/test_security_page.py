"""docs/SECURITY.md: every threat has a test, and every test that the page names exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, TOP

PAGE = DOCS / "SECURITY.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def rows() -> list[list[str]]:
    """Return the cells of each row below the heading of the threats, without the rows of the headings."""
    text = PAGE.read_text(encoding="utf-8").partition("## Threats and their tests\n")[2]
    found = [re.split(r" *\| *", line.strip("| ")) for line in text.splitlines() if line.startswith("|")]
    return [row for row in found if row[0] != "threat" and not set(row[0]) <= {"-"}]


@cache
def functions(path: Path) -> set[str]:
    module = ast.parse(path.read_text(encoding="utf-8"))
    return {each.name for each in module.body if isinstance(each, ast.FunctionDef)}


ROWS = rows()


@pytest.mark.parametrize("row", ROWS, ids=[row[0][:60] for row in ROWS])
def test_a_threat_has_tests_and_they_exist(row: list[str]) -> None:
    threat, holds, tests = row
    assert threat
    assert holds
    named = tests.split(", ")
    assert named
    for each in named:
        found = NAMED.fullmatch(each)
        assert found is not None, f"write the tests as `tests/DIRECTORY/test_NAME.py::test_NAME`, not: {each}"
        assert (TOP / found[1]).is_file(), found[1]
        assert found[2] is None or found[2] in functions(TOP / found[1]), each


def test_the_page_has_what_a_reporter_looks_for() -> None:
    text = PAGE.read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["Report a vulnerability", "What is promised", "What is not promised", "Threats and their tests"]
    assert "/security/advisories/new" in text
    assert len(ROWS) > 30
    assert len({row[0] for row in ROWS}) == len(ROWS)
