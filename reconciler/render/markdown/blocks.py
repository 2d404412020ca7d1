"""Tables and lists of the Markdown report: long ones are folded, and rows without room are left out."""

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

from reconciler.render.phrases import count

FOLDED_FROM = 21  # rows

Block: TypeAlias = list[str]  # the lines of a paragraph, a table or a list
Item = TypeVar("Item")


def list_blocks(
    items: Sequence[Item], row: Callable[[Item], str], *, noun: str, head: Sequence[str], most: int, remark: str = ""
) -> list[Block]:
    """Return the first `most` items, formatted by `row`, below a table's `head`; no items give no blocks.

    `noun` and `remark` must not contain untrusted text, because the summary of a folded list is HTML.
    """
    if not items:
        return []
    title = f"{count(len(items), noun)}{remark}"
    rows = [row(each) for each in items[:most]]
    if not rows:
        return [[f"{title}, not listed"]]
    blocks = [[*head, *rows]]
    if len(rows) < len(items):
        blocks.append([f"and {len(items) - len(rows)} more"])
    if len(rows) < FOLDED_FROM:
        return blocks
    return [["<details>", f"<summary>{title}</summary>"], *blocks, ["</details>"]]


def join_blocks(blocks: Sequence[Block]) -> str:
    """Return blocks as text with an empty line between them; it ends with a line end or is empty."""
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks)
