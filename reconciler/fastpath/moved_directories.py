"""Which directories of a venv moved, or were made, since it was sealed: the quick look takes them as they are now."""

import os
from collections.abc import Callable

from reconciler.state.inventory_file import Inventory

Moments = dict[str, tuple[int, int]]
"""mtime and ctime (nanoseconds) of directories, by relative path."""


def moved_since(venv: str, inventory: Inventory, settled: Callable[[os.stat_result], bool]) -> Moments:
    """Return the directories of a venv (absolute) that moved or were made since its inventory, as they are now.

    Of those that were made (`__pycache__`, or what `ignore_files` names) everything below counts as well. What is not
    `settled` is left out, or counts as ever moving. Raises OSError.
    """
    found: Moments = {}
    recorded = frozenset(inventory.directories)
    times = zip(inventory.directories, inventory.directory_mtimes, inventory.directory_ctimes, strict=True)
    for directory, mtime, ctime in times:
        status = os.lstat(f"{venv}/{directory}")
        now = (status.st_mtime_ns, status.st_ctime_ns)
        if now != (mtime, ctime) and settled(status):
            found[directory] = now
            found |= _made_since(venv, directory, recorded, settled)
    return found


def _made_since(
    venv: str, directory: str, recorded: frozenset[str], settled: Callable[[os.stat_result], bool]
) -> Moments:
    """Return the directories below `directory` that no inventory has; one that is too young counts as ever moving."""
    found: Moments = {}
    with os.scandir(f"{venv}/{directory}" if directory else venv) as listing:
        for entry in listing:
            path = f"{directory}/{entry.name}" if directory else entry.name
            if path not in recorded and entry.is_dir(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                found[path] = (status.st_mtime_ns, status.st_ctime_ns) if settled(status) else (0, 0)
                found |= _made_since(venv, path, recorded, settled)
    return found
