"""The little Markdown that generated pages are made of: tables, code, anchors, and parts between two markers."""

import re
from collections.abc import Iterable, Sequence

COMMAND = "python -m docs.generate"


def code(text: str) -> str:
    """Return `text` as inline code; it may itself have backticks in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{space}{text}{space}{fence}"


def prose(text: str) -> str:
    """Return a sentence from the code as Markdown: only backticks are markup in it, and option names become code."""
    parts = re.split(r"(`[^`]*`)", text)  # every second one is code
    return "".join(part if number % 2 else _plain(part) for number, part in enumerate(parts))


def _plain(text: str) -> str:
    escaped = re.sub(r"([<*\\[\]])", r"\\\1", text)
    return re.sub(r"(?<![^\s(])--[a-z][a-z-]*", lambda found: code(found[0]), escaped)


def fenced(text: str, language: str) -> str:
    """Return `text` as a code block."""
    body = text.rstrip("\n")
    return f"```{language}\n{body}\n```"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; `|` and line breaks in a cell are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(each) for each in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("\n", " ").replace("|", "\\|")


def link(text: str, target: str) -> str:
    """Return a link."""
    return f"[{text}]({target})"


def anchors(headings: Sequence[str]) -> list[str]:
    """Return the anchor of each heading of one page, as GitHub and MyST make them (without the `#`)."""
    seen: dict[str, int] = {}
    found = []
    for heading in headings:
        slug = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        found.append(f"{slug}-{count}" if count else slug)
    return found


def replace_part(page: str, name: str, text: str) -> str:
    """Return `page` with `text` between its markers `<!-- NAME -->` and `<!-- /NAME -->`; raises ValueError without."""
    pattern = re.compile(rf"(<!-- {name}[^>]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
    replaced, count = pattern.subn(lambda found: f"{found[1]}\n{text.strip()}\n\n{found[2]}", page)
    if count != 1:
        raise ValueError(f"the page needs one part between <!-- {name} --> and <!-- /{name} -->")
    return replaced


def headings(page: str) -> list[str]:
    """Return the headings of a page in order, without the `#`; lines in code blocks are not headings."""
    found, fence = [], ""
    for line in page.splitlines():
        if opened := re.match(r"\s*(`{3,}|~{3,})", line):
            if not fence:
                fence = opened[1]
            elif opened[1].startswith(fence):
                fence = ""
        elif not fence and (heading := re.fullmatch(r"#{1,6} +(.+?)(?: +#+)?", line)):
            found.append(heading[1])
    return found


def title_of(page: str, anchor: str = "") -> str:
    """Return the heading that has an anchor, or the page's title; raises ValueError if there is none."""
    found = headings(page)
    by_anchor = dict(zip(anchors(found), found, strict=True))
    if anchor and anchor not in by_anchor:
        raise ValueError(f"no heading of `{found[0]}` has the anchor #{anchor}")
    return by_anchor[anchor] if anchor else found[0]
