"""Recognize a generation that was restored from a backup: its inodes are new, and every file is as it was sealed."""

import os

from reconciler.errors import InventoryError
from reconciler.observe.actual import Depth
from reconciler.observe.file_changes import compare_files
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import load_inventory
from reconciler.state.layout import Generation
from reconciler.state.store import State


def is_restored(state: State, name: str, generation: Generation) -> bool:
    """Return whether a generation equals its seal, with no file changed or added; every file is read.

    Raises OSError if one cannot be read.
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
        generation.staged,
        generation.failed,
        generation.trial,
    )
    if generation.number not in state.sealed_numbers(name) or generation.venv.is_symlink():
        return False
    if not {each.name for each in expected}.issuperset(os.listdir(generation.directory)):
        return False
    try:
        inventory = load_inventory(generation.inventory)
    except InventoryError:
        return False
    return not compare_files(str(generation.venv), inventory, InodeHashes(), Depth.HASHES, access=0)
