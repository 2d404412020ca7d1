"""A generation that came back from a backup: its inodes are others, and every file is as it was sealed."""

import os

from reconciler.observe.actual import Depth
from reconciler.observe.file_changes import compare_files
from reconciler.state.generation_identity import mark_identity
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import InventoryError, load_inventory
from reconciler.state.layout import Generation
from reconciler.state.store import State


def recognise_restored(state: State, name: str, generation: Generation) -> bool:
    """Take a generation for the one that was made if its seal is there and all of it is as sealed, nothing added.

    Says whether it did so; every file is read. Raises OSError.
    """
    known = (
        generation.venv,
        generation.identity,
        generation.new_identity,
        generation.seal,
        generation.inventory,
        generation.pylock,
        generation.in_use,
        generation.unpublished,
    )
    if state.seal(name, generation.number) is None or generation.venv.is_symlink():
        return False
    if not {each.name for each in known}.issuperset(os.listdir(generation.directory)):
        return False
    try:
        inventory = load_inventory(generation.inventory)
    except InventoryError:
        return False
    if compare_files(str(generation.venv), inventory, InodeHashes(), Depth.HASHES):
        return False
    mark_identity(generation)
    return True
