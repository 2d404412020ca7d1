"""Markdown as rendered by GitHub's own parser and by a second one: the page's elements and their text."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import cmarkgfm  # type: ignore[import-untyped]  # it has no stubs
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]
from markdown_it import MarkdownIt

_VOID = frozenset({"br", "hr", "img", "input"})


@dataclass(kw_only=True)
class Element:
    """One element: its text, including that of its children, and how many of its ancestors are `code` or `pre`."""

    tag: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    text: str = ""
    plain: str = ""  # the text outside of code
    children: list["Element"] = field(default_factory=list)

    def all(self, tag: str) -> list["Element"]:
        found = [self] if self.tag == tag else []
        return found + [each for child in self.children for each in child.all(tag)]

    def tags(self) -> set[str]:
        return {self.tag}.union(*(each.tags() for each in self.children))


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element(tag="page")
        self.open = [self.root]
        self.comments: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag=tag, attributes=dict(attrs))
        self.open[-1].children.append(made)
        if tag not in _VOID:
            self.open.append(made)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        in_code = any(each.tag == "code" for each in self.open)
        for each in self.open:
            each.text += data
            each.plain += "" if in_code else data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"a processing instruction: {data}")


def by_github(text: str) -> str:
    """Return the HTML of GitHub's parser; it lets HTML through, so that dangerous output is visible."""
    return str(cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE))


def by_markdown_it(text: str) -> str:
    """Return the HTML of markdown-it, which many tools in Python and JavaScript use."""
    return str(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text))


RENDERERS = (by_github, by_markdown_it)


def page(html: str) -> Element:
    """Return a page's elements; assert that all are closed and that the only comment is the marker."""
    parser = _Page()
    parser.feed(html)
    parser.close()
    assert len(parser.open) == 1, f"never closed: {[each.tag for each in parser.open[1:]]}"
    assert set(parser.comments) <= {" envsync "}, parser.comments
    return parser.root
