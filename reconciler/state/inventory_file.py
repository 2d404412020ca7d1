"""Writes and reads the file of a generation's inventory: flat columns, which load fast."""

from array import array
from pathlib import Path
from typing import Any

from reconciler.errors import InventoryError, StateError
from reconciler.fs.atomic_write import write_atomic
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.state.columns_file import dump_columns, load_columns
from reconciler.state.inventory import CONTENT_BYTES, Inventory


def save_inventory(inventory: Inventory, path: Path) -> None:
    """Write an inventory atomically; raises StateError if it cannot be written."""
    try:
        write_atomic(path, dump_columns(str(path), "inventory", plain_columns(inventory)))
    except OSError as error:
        raise StateError(f"`{path}` could not be written: {error.strerror}", hint=os_error_hint(error)) from error


def load_inventory(path: Path, *, digest: str = "") -> Inventory:
    """Return the inventory at `path`.

    Raises InventoryError if it is missing, unreadable or damaged, or if its digest is not `digest` (empty: any).
    """
    try:
        columns = load_columns(str(path), "inventory")
        read: dict[str, Any] = {
            name: array(_CODES[name], value) if name in _CODES else value for name, value in columns.items()
        }
        read |= {name: tuple(columns[name].split(_BETWEEN)) if columns[name] else () for name in _JOINED}
        read["directories"] = read["directories"] or ("",)
        read["targets"] = dict(columns["targets"])
        inventory = Inventory(**read)
    except OSError as error:
        raise InventoryError(str(path), error.strerror or str(error)) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InventoryError(str(path), str(error)) from error
    length = len(inventory.names)
    if sum(inventory.counts) != length or len(inventory.contents) != CONTENT_BYTES * length:
        raise InventoryError(str(path), "its columns have different lengths")
    if digest not in {"", inventory.digest}:
        raise InventoryError(str(path), "its digest is not the one in the seal")
    return inventory


def plain_columns(inventory: Inventory) -> dict[str, Any]:
    """Return an inventory's columns as they are stored: texts joined, numbers as bytes (fewer objects to load)."""
    found: dict[str, Any] = {}
    for name in inventory.__slots__:
        value = getattr(inventory, name)
        if isinstance(value, array):
            found[name] = value.tobytes()
        elif isinstance(value, dict):  # the keys of a JSON object are texts
            found[name] = list(value.items())
        else:
            found[name] = _BETWEEN.join(value) if name in _JOINED else value
    return found


_JOINED = ("directories", "names")
_BETWEEN = "\0"  # cannot occur in a path
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
