"""Lets the full program skip the file comparison of environments that the fast path knows to be unchanged.

If one of many environments needs work, most others usually do not. Their agreements say which of their directories
changed since the seal without a finding, and which files they share. `stat_check` compares these with the disk in a
fraction of the time of a full comparison.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.fastpath.agreement import (
    INVENTORY_SIGNATURE,
    agreement_path,
    own_columns_path,
    read_cache_file,
    stat_signature,
)
from reconciler.fastpath.stat_check import StatPass, environment_unchanged
from reconciler.fs.access_bits import root_bits
from reconciler.state.layout import Layout
from reconciler.state.published_generation import PublishedGeneration


class QuickComparison:
    """One pass over the environments below a root."""

    def __init__(self, layout: Layout) -> None:
        self._root = str(layout.root)
        self._pass = StatPass(self._root)

    def files_as_sealed(self, name: str, published: PublishedGeneration, ignore_files: Sequence[str]) -> bool:
        """Return whether every file of a published generation is as sealed, apart from files that match `ignore_files`.

        False also means that it is not known.
        """
        agreement = read_cache_file(agreement_path(self._root, name))
        own = read_cache_file(own_columns_path(self._root, name))
        venv, inventory = str(published.venv), str(published.inventory)
        if agreement is None or own is None or not published.seal:
            return False
        if (agreement["venv"], agreement["ignored"]) != (venv, list(ignore_files)):
            return False
        if published.closed or agreement["access"] != root_bits(self._root):
            return False
        if [inventory, own[INVENTORY_SIGNATURE]] not in agreement["files"] or not _same_seal(published, agreement):
            return False
        return environment_unchanged(venv, own, inventory, self._pass, agreement["listed"])


def _same_seal(published: PublishedGeneration, agreement: Mapping[str, Any]) -> bool:
    """Return whether the seal and inventory files are those of the agreement."""
    wanted = {str(published.inventory), str(published.inventory.with_name("seal.json"))}
    kept = {path: signature for path, signature in agreement["files"] if path in wanted}
    try:
        return len(kept) == len(wanted) and all(stat_signature(os.lstat(path)) == kept[path] for path in wanted)
    except OSError:
        return False
