"""Order trials such that every beginning of them is an even sample, for runs with limited time."""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

_Each = TypeVar("_Each")


def evenly(items: Sequence[_Each], group: Callable[[_Each], Hashable]) -> list[_Each]:
    """Return all items in a different order: the groups take turns, and each group's own items are in halving order."""
    groups: dict[Hashable, list[_Each]] = {}
    for each in items:
        groups.setdefault(group(each), []).append(each)
    ordered = [[own[number] for number in halving_order(len(own))] for own in groups.values()]
    longest = max(map(len, ordered), default=0)
    return [own[turn] for turn in range(longest) for own in ordered if turn < len(own)]


def halving_order(count: int) -> list[int]:
    """Return the numbers below `count`, each in the middle of a gap that the earlier ones left (van der Corput)."""
    width = max(1, (count - 1).bit_length())
    reversed_bits = (int(f"{number:0{width}b}"[::-1], 2) for number in range(1 << width))
    return [number for number in reversed_bits if number < count]
