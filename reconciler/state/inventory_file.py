"""Writes and reads the inventory of a generation's venv: every entry as it was when it was sealed.

Kept as flat marshal, which loads fastest.
"""

from array import array
from pathlib import Path
from typing import Any

from reconciler.errors import StateError
from reconciler.fs.atomic_write import write_atomic
from reconciler.state.inventory import Inventory
from reconciler.state.marshal_file import dump_marshalled, load_marshalled

__all__ = ["Inventory", "InventoryError", "load_inventory", "save_inventory"]


class InventoryError(StateError):
    """An inventory file is missing, damaged, or of a format that this version does not read."""

    code = "inventory"


def save_inventory(inventory: Inventory, path: Path) -> None:
    """Write an inventory, atomically; raises StateError where that cannot be."""
    try:
        write_atomic(path, dump_marshalled("inventory", plain_columns(inventory)))
    except OSError as error:
        raise StateError(f"{path} could not be written: {error.strerror}") from error


def load_inventory(path: Path, *, digest: str = "") -> Inventory:
    """Read an inventory; raises InventoryError where it is missing, unreadable, damaged, or not the one of `digest`."""
    try:
        columns = load_marshalled("inventory", path.read_bytes())
        read: dict[str, Any] = {
            name: array(_CODES[name], value) if name in _CODES else value for name, value in columns.items()
        }
        read |= {name: tuple(columns[name].split(_BETWEEN)) if columns[name] else () for name in _JOINED}
        read["directories"] = read["directories"] or ("",)
        inventory = Inventory(**read)
    except OSError as error:
        raise InventoryError(f"{path}: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise InventoryError(f"{path}: {error}") from error
    length = len(inventory.names)
    if sum(inventory.counts) != length or len(inventory.contents) != 33 * length:
        raise InventoryError(f"{path}: its columns do not fit together")
    if digest not in {"", inventory.digest}:
        raise InventoryError(f"{path}: not the one that was sealed")
    return inventory


def plain_columns(inventory: Inventory) -> dict[str, Any]:
    """Return an inventory's columns as they are kept: what is text joined, numbers as bytes (fewer objects to load)."""
    found: dict[str, Any] = {}
    for name in inventory.__slots__:
        value = getattr(inventory, name)
        found[name] = (
            value.tobytes() if isinstance(value, array) else _BETWEEN.join(value) if name in _JOINED else value
        )
    return found


_JOINED = ("directories", "names")
_BETWEEN = "\0"  # in no path
_CODES = {
    "counts": "I",
    "directory_modes": "I",
    "directory_devices": "Q",
    "directory_inodes": "Q",
    "directory_mtimes": "q",
    "directory_ctimes": "q",
    "modes": "I",
    "devices": "Q",
    "inodes": "Q",
    "sizes": "Q",
    "mtimes": "q",
    "ctimes": "q",
}
