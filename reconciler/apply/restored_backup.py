"""Accept a generation that was restored from a backup: its inodes are new, and every file is as it was sealed."""

import os

from reconciler.errors import InventoryError
from reconciler.observe.actual import Depth
from reconciler.observe.file_changes import compare_files
from reconciler.state.generation_identity import write_identity_mark
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import load_inventory
from reconciler.state.layout import Generation
from reconciler.state.store import State


def accept_restored(state: State, name: str, generation: Generation) -> bool:
    """Record the identity of a generation again if it equals its seal, with no file changed or added.

    Return whether that was so. Every file is read. Raises OSError.
    """
    expected = (
        generation.venv,
        generation.identity,
        generation.new_identity,
        generation.seal,
        generation.inventory,
        generation.pylock,
        generation.in_use,
        generation.unpublished,
        generation.drifted,
        generation.renamed,
    )
    if generation.number not in state.sealed_numbers(name) or generation.venv.is_symlink():
        return False
    if not {each.name for each in expected}.issuperset(os.listdir(generation.directory)):
        return False
    try:
        inventory = load_inventory(generation.inventory)
    except InventoryError:
        return False
    if compare_files(str(generation.venv), inventory, InodeHashes(), Depth.HASHES):
        return False
    write_identity_mark(generation)
    return True
