"""The part of an inventory that a look at depth `metadata` rests on, with signatures that are good now.

As section 10 of the design has it: site-packages and each metadata directory, whose mtime tells of anything that came
or went, and the files in them that can be rewritten in place without moving it.
"""

import os
import re
from array import array
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

from reconciler.state.inventory import Inventory

Trust = Callable[[os.stat_result, bytes], bool]
"""Says whether what lies there now may stand for the recorded content (see `content_of`)."""

_SITE = re.compile(r"lib(?:64)?/[^/]+/site-packages")
_WAY = re.compile(r"|bin|lib(?:64)?|lib(?:64)?/[^/]+")
_METADATA = re.compile(rf"{_SITE.pattern}/[^/]+\.(?:dist|egg)-info", re.IGNORECASE)
_READ = frozenset({"METADATA", "PKG-INFO", "RECORD", "direct_url.json"})
_LEADS_ELSEWHERE = (".egg", ".egg-link")


def site_directories(inventory: Inventory) -> list[str]:
    """Return the relative paths of the site-packages directories that an inventory lists."""
    return [each for each in inventory.directories if _SITE.fullmatch(each)]


def metadata_columns(inventory: Inventory, venv: str, trust: Trust) -> dict[str, Any] | None:
    """Return those columns of an inventory, None where something leads to distributions elsewhere; raises OSError."""
    directories, rows = [], []
    counts = array("I")
    for number, directory, positions in _directories(inventory):
        if not (_WAY.fullmatch(directory) or _SITE.fullmatch(directory) or _METADATA.fullmatch(directory)):
            if directory.lower().endswith(_LEADS_ELSEWHERE):
                return None
            continue
        kept = [each for each in positions if _rests_on(directory, inventory.names[each])]
        if any(inventory.names[each].lower().endswith(_LEADS_ELSEWHERE) for each in kept):
            return None
        directories.append(number)
        rows += kept
        counts.append(len(kept))
    columns = _chosen(inventory, directories, rows)
    columns |= {"directories": tuple(inventory.directories[each] for each in directories), "counts": counts}
    _refresh(columns, venv, trust)
    return {name: each.tobytes() if isinstance(each, array) else each for name, each in columns.items()}


def _directories(inventory: Inventory) -> Iterator[tuple[int, str, range]]:
    """Yield each directory's number and path, and the positions of its entries."""
    end = 0
    for number, (directory, count) in enumerate(zip(inventory.directories, inventory.counts, strict=True)):
        yield number, directory, range(end, end + count)
        end += count


def _rests_on(directory: str, name: str) -> bool:
    """Say whether the content of a directory's entry counts, beside its being there."""
    if _METADATA.fullmatch(directory):
        return name in _READ
    if _SITE.fullmatch(directory):
        return name.lower().endswith((".pth", ".egg-info", *_LEADS_ELSEWHERE))
    return directory in {"", "bin"}


def _chosen(inventory: Inventory, directories: list[int], rows: list[int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column in fields(inventory):
        values = getattr(inventory, column.name)
        if column.name in {"digest", "directories", "counts"}:
            continue
        chosen = directories if column.name.startswith("directory_") else rows
        kept = [values[each] for each in chosen]
        found[column.name] = array(values.typecode, kept) if isinstance(values, array) else tuple(kept)
    return found


def _refresh(columns: dict[str, Any], venv: str, trust: Trust) -> None:
    """Take the signatures that are there now, where what lies there is trusted: later links moved their ctime."""
    row = 0
    for number, directory in enumerate(columns["directories"]):
        place = f"{venv}/{directory}" if directory else venv
        status = os.lstat(place)
        if trust(status, b""):
            columns["directory_mtimes"][number] = status.st_mtime_ns
            columns["directory_ctimes"][number] = status.st_ctime_ns
        for name in columns["names"][row : row + columns["counts"][number]]:
            status = os.lstat(f"{place}/{name}")
            if status.st_ino == columns["inodes"][row] and trust(status, columns["contents"][row]):
                columns["modes"][row] = status.st_mode
                columns["sizes"][row] = status.st_size
                columns["mtimes"][row] = status.st_mtime_ns
                columns["ctimes"][row] = status.st_ctime_ns
            row += 1
