"""Says which files that Python runs at every start a new generation brings, before it is published.

No plan can say so: a wheel is not downloaded while planning, and a lock does not list the files of a wheel.
"""

from collections.abc import Iterable
from pathlib import Path

from reconciler.backticks import in_backticks, list_in_backticks
from reconciler.diff.findings import SHOWN
from reconciler.errors import InventoryError
from reconciler.observe.actual import ActualEnvironment, StartupFile
from reconciler.observe.startup_listing import with_packages
from reconciler.state.inventory import Inventory
from reconciler.state.inventory_file import load_inventory
from reconciler.state.published_generation import PublishedGeneration


def new_startup_sentences(
    venv: Path, observed: ActualEnvironment, inventory: Inventory, before: PublishedGeneration | None
) -> list[str]:
    """Return a sentence for each package that brings or changes startup files, compared with the generation `before`.

    Without one, or if its inventory cannot be read, all startup files of packages are new. Those that the engine makes
    with every virtual environment are only named if they changed.
    """
    own = [each for each in observed.startup if not each.path.startswith("/")]
    now, earlier = _contents(inventory, own), _earlier(before, own)
    groups: dict[tuple[str, bool], list[str]] = {}
    for each in with_packages(own, str(venv), observed.distributions):
        new = each.path not in (earlier or {})
        if (earlier is None and not each.package) or (not new and earlier and earlier[each.path] == now.get(each.path)):
            continue
        groups.setdefault((each.package, new), []).append(each.path)
    return [_sentence(package, paths, new=new) for (package, new), paths in sorted(groups.items())]


def _sentence(package: str, paths: list[str], *, new: bool) -> str:
    subject = in_backticks(package) if package else "the virtual environment"
    what = "a file" if len(paths) == 1 else f"{len(paths)} files"
    brings = "brings" if new else "brings different contents of"
    return f"{subject} {brings} {what} that Python runs at every start: {list_in_backticks(paths, most=SHOWN)}"


def _earlier(before: PublishedGeneration | None, files: Iterable[StartupFile]) -> dict[str, bytes] | None:
    """Return what the generation `before` has at the paths of `files`, None if there is none or it is not known."""
    if before is None or before.unreadable:
        return None
    try:
        return _contents(load_inventory(before.inventory, digest=before.inventory_digest), files)
    except InventoryError:
        return None


def _contents(inventory: Inventory, files: Iterable[StartupFile]) -> dict[str, bytes]:
    """Return what an inventory has at the paths of `files`."""
    paths = {each.path for each in files}
    return {
        path: inventory.content(position)
        for _, directory, positions in inventory.by_directory()
        for position in positions
        if (path := f"{directory}/{inventory.names[position]}") in paths
    }
