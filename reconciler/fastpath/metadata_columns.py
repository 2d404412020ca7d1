"""Selects the columns of an inventory that depth `metadata` depends on.

These are site-packages and each metadata directory, whose mtime changes when an entry is added or removed, and the
files in them that can be rewritten in place without a change of that mtime: metadata, and what Python runs at every
start.
"""

import os
import re
import stat
from array import array
from collections.abc import Callable
from typing import Any

from reconciler.state.inventory import Inventory
from reconciler.state.inventory_file import plain_columns

Trust = Callable[[os.stat_result, bytes], bool]
"""Returns whether a file's current status may replace the recorded one; the bytes are its recorded SHA-256, if any."""

SITE_PACKAGES = re.compile(r"lib(?:64)?/[^/]+/site-packages")
_ABOVE_SITE_PACKAGES = re.compile(r"|bin|lib(?:64)?|lib(?:64)?/[^/]+")
_CUSTOMIZE = re.compile(r"(?:sitecustomize|usercustomize)(?:\..*)?")  # Python imports them at every start
_METADATA = re.compile(rf"{SITE_PACKAGES.pattern}/[^/]+\.(?:dist|egg)-info", re.IGNORECASE)
_PACKAGES = re.compile(rf"{SITE_PACKAGES.pattern}/(?:sitecustomize|usercustomize)")
_MOST_SLASHES = 3  # in the path of any of these directories
_METADATA_FILES = frozenset({"METADATA", "PKG-INFO", "direct_url.json"})
_INTERPRETER_FILES = re.compile(r"activate|(?:python|pypy)[0-9.]*t?|.*\._pth")
_POINTS_ELSEWHERE = (".egg", ".egg-link")


def site_directories(inventory: Inventory) -> list[str]:
    """Return the relative paths of the site-packages directories in an inventory."""
    return [each for each in inventory.directories if SITE_PACKAGES.fullmatch(each)]


def metadata_columns(inventory: Inventory, venv: str, trust: Trust) -> dict[str, Any] | None:
    """Return the columns, with current signatures where `trust` allows; None if an egg or a link points elsewhere.

    `venv` is the absolute path. Raises OSError.
    """
    directories, rows = [], []
    counts = array("I")
    for number, directory, positions in inventory.by_directory():
        if directory.count("/") > _MOST_SLASHES or not _is_relevant(directory):
            if directory.lower().endswith(_POINTS_ELSEWHERE):
                return None
            continue
        kept = [each for each in positions if _content_matters(directory, inventory.names[each])]
        if any(inventory.names[each].lower().endswith(_POINTS_ELSEWHERE) for each in kept):
            return None
        if SITE_PACKAGES.match(directory) and any(stat.S_ISLNK(inventory.modes[each]) for each in kept):
            return None
        directories.append(number)
        rows += kept
        counts.append(len(kept))
    chosen = inventory.subset(directories, rows, counts)
    _refresh(chosen, venv, trust)
    return plain_columns(chosen)


def _is_relevant(directory: str) -> bool:
    return any(each.fullmatch(directory) for each in (_ABOVE_SITE_PACKAGES, SITE_PACKAGES, _METADATA, _PACKAGES))


def _content_matters(directory: str, name: str) -> bool:
    """Return whether the contents of a directory's entry matter, and not only that it exists."""
    if _METADATA.fullmatch(directory):
        return name in _METADATA_FILES
    if _PACKAGES.fullmatch(directory):
        return name.startswith("__init__.")
    if SITE_PACKAGES.fullmatch(directory):
        if _CUSTOMIZE.fullmatch(name):
            return True
        return name.lower().endswith((".pth", ".start", ".egg-info", *_POINTS_ELSEWHERE))
    return not directory or (directory == "bin" and _INTERPRETER_FILES.fullmatch(name) is not None)


def _refresh(chosen: Inventory, venv: str, trust: Trust) -> None:
    """Replace recorded signatures by the current ones if these are trusted: links made later changed the ctimes."""
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
