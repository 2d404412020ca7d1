"""Find the files that a successful run never leaves below a root, except in the engine's own cache."""

from collections.abc import Iterable
from pathlib import Path

from reconciler.state.store import State


def leftovers(state: State, place: Path, names: Iterable[str]) -> list[str]:
    """Return temporary files, prepared and noted links, holder files and unsealed generations, sorted.

    `place` is the directory that contains the root and the locks, `names` are the environments whose generations count.
    """
    layout = state.layout
    found = [
        path.relative_to(place).as_posix()
        for path in place.rglob("*")
        if layout.engine_cache not in path.parents
        and (
            path.name.startswith((".gitignore.", "publish.", "renaming."))
            or path.name.endswith((".tmp", ".removed", ".collected"))
            or path.name in {"lock.holder.json", "moving", "renamed.new"}
            or (path.parent == layout.cache and path.name.rpartition(".")[2].isdigit())
        )
    ]
    for name in names:
        unsealed = [each for each in layout.generation_numbers(name) if state.seal(name, each) is None]
        found += [f"{name}: generation {number} unsealed" for number in unsealed]
    return sorted(found)
