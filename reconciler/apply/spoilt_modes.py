"""Finds built files whose executable bit differs from that in an earlier seal: their cached file was changed.

RECORD (PEP 376) has no modes. A file in the cache has the mode that one of its hard links was given.
"""

from collections.abc import Iterable

from reconciler.apply.verify_build import Record
from reconciler.state.inventory import Inventory


def spoilt_modes(records: Iterable[Record], inventory: Inventory, sealed: Inventory) -> dict[str, str]:
    """Return the package of each file that has the contents it had in `sealed`, but not the executable bit, by path."""
    before = {each.path: (each.sha256, each.executable) for each in sealed.entries if each.type == "file"}
    changed = {
        each.path
        for each in inventory.entries
        if each.type == "file" and before.get(each.path) == (each.sha256, not each.executable)
    }
    if not changed:
        return {}
    found = {}
    for record in records:
        site = record.path.rpartition("/")[0].rpartition("/")[0]
        found.update({path: record.key for path in changed if path.removeprefix(f"{site}/") in record.hashes})
    return found
