"""Accessible tables: each has a caption and a scope for each heading."""

from collections.abc import Iterable, Sequence

from reconciler.render.html.markup import Child, Markup, element


def table(caption: str, titles: Sequence[str], rows: Iterable[Markup], *, class_: str | None = None) -> Markup:
    """Return a table that scrolls horizontally if the page is too narrow for it."""
    head = element("tr", [element("th", title, scope="col") for title in titles])
    content = element(
        "table",
        element("caption", caption),
        element("thead", head),
        element("tbody", rows),
        class_=class_,
    )
    return element("div", content, class_="scrolls", tabindex=0, role="region", aria_label=caption)


def row(title: Child, *cells: Child, **attributes: str | int | bool | None) -> Markup:
    """Return a table's row; its first cell is the row's heading."""
    return element("tr", element("th", title, scope="row"), [element("td", each) for each in cells], **attributes)


def arrow(before: str, after: str) -> Child:
    """Return `before → after`, or one value if they are equal or only one exists."""
    if before == after or not before or not after:
        return after or before
    return [before, " ", element("span", "→", aria_label="to", role="img"), " ", after]
