"""Says by what is remembered that files are as they were sealed, in a fraction of the time that comparing them takes.

Most of many environments need nothing when one does. Of those `agreed` knows which directories moved since the seal
without a finding, and which files they share: see `untouched`.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.fastpath.agreement import INVENTORY, agreement_file, own_file, read_agreed, signature_of
from reconciler.fastpath.stat_check import Pass, files_untouched
from reconciler.state.layout import Layout
from reconciler.state.published import Published


class Remembered:
    """One pass over the environments below a root, by what is remembered of them."""

    def __init__(self, layout: Layout) -> None:
        self._root = str(layout.root)
        self._pass = Pass(str(layout.inode_hashes))

    def as_sealed(self, name: str, published: Published, ignore_files: Sequence[str]) -> bool:
        """Say whether every file of a published generation is as it was sealed, but for what `ignore_files` names."""
        agreement = read_agreed(agreement_file(self._root, name))
        own = read_agreed(own_file(self._root, name))
        venv, inventory = str(published.venv), str(published.inventory)
        if agreement is None or own is None or not published.seal:
            return False
        if (agreement["venv"], agreement["ignored"]) != (venv, list(ignore_files)):
            return False
        if (inventory, own[INVENTORY]) not in agreement["files"] or not _still_sealed(published, agreement):
            return False
        return files_untouched(venv, own, inventory, self._pass, agreement["listed"])


def _still_sealed(published: Published, agreement: Mapping[str, Any]) -> bool:
    """Say whether seal and inventory are the files that were agreed on."""
    wanted = {str(published.inventory), str(published.inventory.with_name("seal.json"))}
    kept = {path: signature for path, signature in agreement["files"] if path in wanted}
    try:
        return len(kept) == len(wanted) and all(signature_of(os.lstat(path)) == kept[path] for path in wanted)
    except OSError:
        return False
