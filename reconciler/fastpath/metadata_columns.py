"""The part of an inventory that a look at depth `metadata` rests on, with signatures that are good now.

As section 10 of the design has it: site-packages and each metadata directory, whose mtime tells of anything that came
or went, and the files in them that can be rewritten in place without moving it.
"""

import os
import re
from array import array
from collections.abc import Callable
from typing import Any

from reconciler.fastpath.inventory_subset import each_directory, part_of
from reconciler.state.inventory_file import Inventory, plain_columns

Trust = Callable[[os.stat_result, bytes], bool]
"""Says whether what lies there now may stand for what was recorded, whose SHA-256 (if it is a file) is given."""

SITE = re.compile(r"lib(?:64)?/[^/]+/site-packages")
_WAY = re.compile(r"|bin|lib(?:64)?|lib(?:64)?/[^/]+")
_METADATA = re.compile(rf"{SITE.pattern}/[^/]+\.(?:dist|egg)-info", re.IGNORECASE)
_DEEPEST = 3  # slashes in what may be one of these
_READ = frozenset({"METADATA", "PKG-INFO", "direct_url.json"})
_PROGRAMS = re.compile(r"activate|(?:python|pypy)[0-9.]*t?")
_LEADS_ELSEWHERE = (".egg", ".egg-link")


def site_directories(inventory: Inventory) -> list[str]:
    """Return the relative paths of the site-packages directories that an inventory lists."""
    return [each for each in inventory.directories if SITE.fullmatch(each)]


def metadata_columns(inventory: Inventory, venv: str, trust: Trust) -> dict[str, Any] | None:
    """Return those columns of an inventory, None where something leads to distributions elsewhere; raises OSError."""
    directories, rows = [], []
    counts = array("I")
    for number, directory, positions in each_directory(inventory):
        deep = directory.count("/") > _DEEPEST
        if deep or not (_WAY.fullmatch(directory) or SITE.fullmatch(directory) or _METADATA.fullmatch(directory)):
            if directory.lower().endswith(_LEADS_ELSEWHERE):
                return None
            continue
        kept = [each for each in positions if _rests_on(directory, inventory.names[each])]
        if any(inventory.names[each].lower().endswith(_LEADS_ELSEWHERE) for each in kept):
            return None
        directories.append(number)
        rows += kept
        counts.append(len(kept))
    chosen = part_of(inventory, directories, rows, counts)
    _refresh(chosen, venv, trust)
    return plain_columns(chosen)


def _rests_on(directory: str, name: str) -> bool:
    """Say whether the content of a directory's entry counts, beside its being there."""
    if _METADATA.fullmatch(directory):
        return name in _READ
    if SITE.fullmatch(directory):
        return name.lower().endswith((".pth", ".egg-info", *_LEADS_ELSEWHERE))
    return not directory or (directory == "bin" and _PROGRAMS.fullmatch(name) is not None)


def _refresh(chosen: Inventory, venv: str, trust: Trust) -> None:
    """Take the signatures that are there now, where what lies there is trusted: later links moved their ctime."""
    row = 0
    for number, directory in enumerate(chosen.directories):
        place = f"{venv}/{directory}" if directory else venv
        status = os.lstat(place)
        if trust(status, b""):
            chosen.directory_mtimes[number] = status.st_mtime_ns
            chosen.directory_ctimes[number] = status.st_ctime_ns
        for name in chosen.names[row : row + chosen.counts[number]]:
            status = os.lstat(f"{place}/{name}")
            if status.st_ino == chosen.inodes[row] and trust(status, chosen.sha256(row)):
                chosen.modes[row] = status.st_mode
                chosen.sizes[row] = status.st_size
                chosen.mtimes[row] = status.st_mtime_ns
                chosen.ctimes[row] = status.st_ctime_ns
            row += 1
