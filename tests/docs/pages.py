"""The documentation as its tests read it: links, headings and the blocks between markers."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from docs.generate.markdown import anchors

TOP = Path(__file__).parent.parent.parent
DOCS = TOP / "docs"
PAGES = sorted({TOP / "README.md", TOP / "CONTRIBUTING.md", TOP / "CHANGELOG.md", *DOCS.rglob("*.md")})


@dataclass(frozen=True, kw_only=True)
class Page:
    """One Markdown file, as CommonMark reads it."""

    links: tuple[str, ...]
    headings: tuple[str, ...]

    @property
    def anchors(self) -> set[str]:
        return set(anchors(self.headings))


@cache
def read_page(path: Path) -> Page:
    tokens = MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8"))
    links = [target for token in tokens for target in _links(token)]
    headings = [tokens[number + 1].content for number, token in enumerate(tokens) if token.type == "heading_open"]
    return Page(links=tuple(links), headings=tuple(headings))


def _links(token: Token) -> list[str]:
    found = [str(token.attrs[name]) for name in ("href", "src") if name in token.attrs]
    return found + [link for child in token.children or () for link in _links(child)]


def block_after(page: Path, marker: str, language: str) -> str:
    """Return the code block that follows `<!-- MARKER -->`."""
    text = page.read_text(encoding="utf-8")
    found = re.search(rf"<!-- {marker} -->\n```{language}\n(.*?)```\n", text, re.DOTALL)
    assert found is not None, f"{page.name} has no {language} block after <!-- {marker} -->"
    return found[1]


def section(path: Path, heading: str, *, after: str = "") -> str:
    """Return what a page says under a heading, the first one behind `after`, up to the next heading of any level."""
    text = path.read_text(encoding="utf-8")
    start = text.index(f"# {after}\n") if after else 0
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", text[start:], re.DOTALL | re.MULTILINE)
    assert found is not None, f"{path.name} has no heading {heading}"
    return found[1]
