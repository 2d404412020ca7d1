"""What a look at depth `files` goes by: an environment's directories and its own files, apart from those it shares.

Environments of the same packages share nearly all files by hard link: the same inodes, which hold the same. Once a pass
has seen that of one, only directories and its own files are left to look at of another. Which files are taken for
shared is a guess; that they are the same inodes, said to hold the same, is not (`SHARED`).
"""

import hashlib
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reconciler.fastpath.agreement import INVENTORY, NEAR, SHARED
from reconciler.fastpath.inventory_subset import each_directory, part_of
from reconciler.fastpath.metadata_columns import SITE
from reconciler.fastpath.near_paths import near
from reconciler.state.inventory_file import Inventory, plain_columns

if TYPE_CHECKING:
    from reconciler.fastpath.agreement import Signature

_NOT_LOOKED_AT = frozenset({"directory_modes", "directory_mtimes", "modes", "sizes", "mtimes", "targets", "digest"})
_BY_INSTALLERS = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"})


def own_columns(inventory: Inventory, signature: "Signature") -> dict[str, Any]:
    """Return those columns of an inventory that `untouched` reads, of the environment's own files, with what
    `agreed` names beside them; `signature` is the inventory file's."""
    own: list[int] = []
    counts = array("I")
    for _, directory, positions in each_directory(inventory):
        found = positions if SITE.match(directory) is None else _own(inventory.names, positions)
        own += found
        counts.append(len(found))
    columns = plain_columns(part_of(inventory, range(len(inventory.directories)), own, counts))
    return {
        **{name: value for name, value in columns.items() if name not in _NOT_LOOKED_AT},
        INVENTORY: signature,
        NEAR: near(inventory.directories),
        SHARED: _digest(inventory, own),
    }


def _own(names: Sequence[str], positions: range) -> list[int]:
    """Return the positions of the files in site-packages that an installer makes for each environment anew, or that are
    compiled in it."""
    return [each for each in positions if names[each] in _BY_INSTALLERS or names[each].endswith(".pyc")]


def _digest(inventory: Inventory, own: Sequence[int]) -> bytes:
    """Return what is the same for the same inodes that hold the same, and for nothing else; empty if all is its own."""
    ends = (*own, len(inventory.names))
    runs = [slice(start, end) for start, end in zip((0, *(each + 1 for each in own)), ends, strict=True) if start < end]
    found = hashlib.sha256()
    for column in (inventory.devices, inventory.inodes):
        for run in runs:
            found.update(column[run].tobytes())
    for run in runs:
        found.update(inventory.contents[33 * run.start : 33 * run.stop])
    return found.digest() if runs else b""
