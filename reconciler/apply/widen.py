"""Give every file of a venv the access of the root: who may enter the root may read what is published in it."""

from pathlib import Path

from reconciler.fs.access import widen
from reconciler.fs.access_bits import missing_bits
from reconciler.state.inventory import Inventory


def widen_venv(venv: Path, inventory: Inventory, access: int) -> bool:
    """Add the missing permission bits of the entries of `inventory`; return whether any lacked one. Raises OSError.

    A file that was installed from the cache may lack them, because an earlier run had a narrow umask. It is the same
    inode in the cache and in other generations, so they get the bits too; nothing else of the file changes.
    """
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
