"""Makes a root trusted again that was restored, moved or copied, or that an older envsync made (`envsync trust`).

Nothing in it is built again. The caches are deleted, because nothing says where their files come from.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from reconciler.errors import InventoryError
from reconciler.fs.atomic_write import write_atomic
from reconciler.fs.authentic_json import authentic_json
from reconciler.fs.authentication import forget_roots
from reconciler.fs.own_files import list_own, read_own
from reconciler.fs.remove_tree import remove_tree
from reconciler.state.inventory_file import load_inventory, save_inventory
from reconciler.state.layout import Generation, Layout
from reconciler.state.root_mutex import acquire_root_mutex
from reconciler.state.root_trust import require_key, unauthenticated, write_mark


def authenticate_root(layout: Layout, *, timeout: float) -> None:
    """Authenticate everything below a root with the key of this user, who owns it; delete its caches.

    If it is interrupted, the root is not trusted, or the files that are left count as damaged: do it again. Waits at
    most `timeout` seconds for the root mutex. Raises StateError, LockTimeoutError or OSError.
    """
    require_key()
    forget_roots()  # the key may be a new one
    with unauthenticated(), acquire_root_mutex(layout, timeout=timeout):
        remove_tree(layout.envsync_directory, layout.cache.name)
        for directory in (layout.records, layout.all_deleted):
            for name in _names(directory):
                if name.endswith(".json") and not name.startswith("."):
                    _authenticate(directory / name)
        for generation in _generations(layout):
            for path in (generation.seal, generation.staged, generation.trial, generation.adoption):
                _authenticate(path)
            with suppress(InventoryError):  # none, or of an older envsync: the environment then counts as changed
                save_inventory(load_inventory(generation.inventory), generation.inventory)
        write_mark(layout)


def _authenticate(path: Path) -> None:
    """Write a state file again with its code; one that is damaged stays as it is."""
    try:
        stored = json.loads(read_own(str(path)))
    except (FileNotFoundError, ValueError, RecursionError):
        return
    if isinstance(stored, dict):
        write_atomic(path, authentic_json(str(path), stored))


def _generations(layout: Layout) -> Iterator[Generation]:
    """Yield all generations and adopted environments; links are not followed."""
    for directory in (layout.all_generations, layout.adopted):
        for name in _names(directory):
            for number in _names(directory / name):
                path = directory / name / number
                if number.isdecimal() and not path.is_symlink():
                    yield Generation(path, int(number))


def _names(directory: Path) -> list[str]:
    """Return the names in one of envsync's own directories; none if it does not exist or is not a directory."""
    try:
        return sorted(list_own(str(directory)))
    except (FileNotFoundError, NotADirectoryError):
        return []
