"""Selects the columns of an inventory that depth `files` depends on, without the files that environments share.

Environments of the same packages share nearly all files by hard link: the same inodes with the same contents. After one
environment was examined in a pass, only the directories and the own files of the others are left to examine. Which
files are shared is a guess. That two environments share the same inodes with the same recorded contents is checked, by
a digest (`agreement.SHARED_DIGEST`).
"""

import hashlib
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reconciler.fastpath.agreement import INVENTORY_SIGNATURE, RELATIVE_PATHS, SHARED_DIGEST
from reconciler.fastpath.metadata_columns import SITE_PACKAGES
from reconciler.fastpath.relative_paths import relative_paths
from reconciler.state.inventory import CONTENT_BYTES, Inventory
from reconciler.state.inventory_file import plain_columns

if TYPE_CHECKING:
    from reconciler.fastpath.agreement import Signature

_NOT_EXAMINED = frozenset({"directory_modes", "directory_mtimes", "modes", "sizes", "mtimes", "targets", "digest"})
WRITTEN_BY_INSTALLERS = frozenset(
    {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"}
)


def own_columns(inventory: Inventory, signature: "Signature") -> dict[str, Any]:
    """Return the columns of all directories and of the environment's own files, with the keys that `agreement` names.

    `signature` is the stat signature of the inventory file.
    """
    own: list[int] = []
    counts = array("I")
    for _, directory, positions in inventory.by_directory():
        found = positions if SITE_PACKAGES.match(directory) is None else _own(inventory.names, positions)
        own += found
        counts.append(len(found))
    columns = plain_columns(inventory.subset(range(len(inventory.directories)), own, counts))
    return {
        **{name: value for name, value in columns.items() if name not in _NOT_EXAMINED},
        INVENTORY_SIGNATURE: signature,
        RELATIVE_PATHS: relative_paths(inventory.directories),
        SHARED_DIGEST: _shared_digest(inventory, own),
    }


def _own(names: Sequence[str], positions: range) -> list[int]:
    """Return the positions of the files in site-packages that each environment has for itself.

    An installer writes them for each environment, or they are bytecode.
    """
    return [each for each in positions if names[each] in WRITTEN_BY_INSTALLERS or names[each].endswith(".pyc")]


def _shared_digest(inventory: Inventory, own: Sequence[int]) -> bytes:
    """Return a digest of the devices, inodes and contents of all files but the `own` ones; empty if there are none."""
    ends = (*own, len(inventory.names))
    runs = [slice(start, end) for start, end in zip((0, *(each + 1 for each in own)), ends, strict=True) if start < end]
    found = hashlib.sha256()
    for column in (inventory.devices, inventory.inodes):
        for run in runs:
            found.update(column[run].tobytes())
    for run in runs:
        found.update(inventory.contents[CONTENT_BYTES * run.start : CONTENT_BYTES * run.stop])
    return found.digest() if runs else b""
