"""Tables and lists of the Markdown report: folded where they are long, and cut where there is no room for all."""

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

FOLDED_FROM = 21  # rows

Block: TypeAlias = list[str]  # the lines of a paragraph, a table, a list
Item = TypeVar("Item")


def listed(
    items: Sequence[Item], row: Callable[[Item], str], *, noun: str, head: Sequence[str], most: int, remark: str = ""
) -> list[Block]:
    """Return the first `most` items, each as `row` has it, below a table's `head`; none for no items.

    Where they are folded the summary, being HTML, is made of `noun` and `remark`: never of foreign text.
    """
    if not items:
        return []
    named = f"{len(items)} {noun}{'' if len(items) == 1 else 's'}{remark}"
    kept = [row(each) for each in items[:most]]
    if not kept:
        return [[f"{named}, left out here"]]
    blocks = [[*head, *kept]]
    if len(kept) < len(items):
        blocks.append([f"and {len(items) - len(kept)} more"])
    if len(kept) < FOLDED_FROM:
        return blocks
    return [["<details>", f"<summary>{named}</summary>"], *blocks, ["</details>"]]


def joined(blocks: Sequence[Block]) -> str:
    """Return blocks as text, an empty line between each two; ends with a line end, or is empty."""
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks)
