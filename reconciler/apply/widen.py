"""Give every file of a venv the access of the root: who may enter the root may read what is published in it."""

from pathlib import Path

from reconciler.fs.access import group_to_give, widen
from reconciler.fs.access_bits import access_to, missing_bits
from reconciler.state.inventory import Inventory


def widen_venv(venv: Path, inventory: Inventory, root: Path, *, access: int | None = None) -> bool:
    """Give the entries of `inventory` the access of `root`; return whether any lacked it. Raises OSError.

    With `access`, they get that one, which the root will have.

    A file that was installed from the cache may lack them, because an earlier run had a narrow umask. It is the same
    inode in the cache and in other generations, so they get the bits too; nothing else of the file changes.
    """
    access, group = access_to(root) if access is None else access, group_to_give(root, access)
    if group >= 0:  # an inventory has no groups
        entries = [venv / each for each in inventory.directories]
        entries += [venv / each.path for each in inventory.entries if each.type != "directory"]
        return sum(widen(each, access, group) for each in entries) > 0
    lacking = {mode for mode in {*inventory.modes, *inventory.directory_modes} if missing_bits(mode, access)}
    if not lacking:
        return False
    for number, directory, positions in inventory.by_directory():
        place = venv / directory
        if inventory.directory_modes[number] in lacking:
            widen(place, access)
        for position in positions:
            if inventory.modes[position] in lacking:
                widen(place / inventory.names[position], access)
    return True
