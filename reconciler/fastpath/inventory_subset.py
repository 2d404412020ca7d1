"""A part of an inventory: some of its directories, and some of the entries in them."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from reconciler.state.inventory_file import Inventory


def each_directory(inventory: Inventory) -> Iterator[tuple[int, str, range]]:
    """Yield each directory's number and path, and the positions of its entries."""
    end = 0
    for number, (directory, count) in enumerate(zip(inventory.directories, inventory.counts, strict=True)):
        yield number, directory, range(end, end + count)
        end += count


def part_of(inventory: Inventory, directories: Sequence[int], rows: Sequence[int], counts: "array[int]") -> Inventory:
    """Return an inventory of some directories and some of the entries, by their numbers; it has no digest."""
    found: dict[str, Any] = {"counts": counts, "digest": "", "targets": {}}
    for column in fields(inventory):
        if column.name in found:
            continue
        values = getattr(inventory, column.name)
        kept = directories if column.name.startswith("director") else rows
        match values:
            case _ if kept == range(len(inventory.directories)):
                found[column.name] = values
            case array():
                found[column.name] = array(values.typecode, [values[each] for each in kept])
            case tuple():
                found[column.name] = tuple(values[each] for each in kept)
            case bytes():
                found[column.name] = b"".join(values[33 * each : 33 * each + 33] for each in kept)
    return Inventory(**found)
