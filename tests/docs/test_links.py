"""Every relative link in the documentation points to a file that exists, and to a heading that exists in it."""

import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest

from docs.generate.markdown import anchors, headings
from tests.docs.pages import DOCS, PAGES, TOP, read_page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(TOP).as_posix())
def test_relative_links_point_to_something(page: Path) -> None:
    broken = [link for link in read_page(page).links if not _exists(page, link)]
    assert not broken, f"{page.relative_to(TOP)}: no such file or heading"


def _exists(page: Path, link: str) -> bool:
    if ":" in link.partition("/")[0]:
        return True  # an address in the world: not fetched
    file, _, anchor = unquote(link).partition("#")
    target = (page.parent / file).resolve() if file else page
    if not target.exists() or not target.is_relative_to(TOP):
        return False
    return not anchor or (target.suffix == ".md" and anchor in read_page(target).anchors)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(TOP).as_posix())
def test_the_generator_finds_the_headings_that_commonmark_has(page: Path) -> None:
    assert tuple(headings(page.read_text(encoding="utf-8"))) == read_page(page).headings


def test_anchors_are_those_of_github() -> None:
    found = anchors(["A `b-c`: d, e", "A `b-c`: d, e", "`--file`", "`exclude_newer`", "[The link](x.md), and more"])
    assert found == ["a-b-c-d-e", "a-b-c-d-e-1", "--file", "exclude_newer", "the-link-and-more"]


def test_a_link_to_nothing_is_found() -> None:
    page = DOCS / "index.md"
    assert _exists(page, "manifest.md#python")
    assert not _exists(page, "manifest.md#pyhton")
    assert not _exists(page, "nothing.md")
    assert not _exists(page, "../../outside.md")


def test_every_page_is_in_git() -> None:
    """A page that git ignores would be missing in every other checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "docs"],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout: an unpacked source distribution")
    assert {page.relative_to(TOP).as_posix() for page in DOCS.rglob("*.md")} <= set(listed.stdout.splitlines())
