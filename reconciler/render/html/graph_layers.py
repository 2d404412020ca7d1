"""Arranges the nodes of a dependency graph in layers: each node is to the right of all nodes that require it."""

from collections.abc import Mapping, Sequence

Graph = Mapping[str, Sequence[str]]


def node_names(graph: Graph) -> list[str]:
    """Return all names of a graph, sorted: the distributions and everything that they require."""
    return sorted({*graph, *(each for required in graph.values() for each in required)})


def requirers(graph: Graph) -> dict[str, set[str]]:
    """Return by name the other nodes that require it."""
    found: dict[str, set[str]] = {name: set() for name in node_names(graph)}
    for name, required in graph.items():
        for each in required:
            if each != name:
                found[each].add(name)
    return found


def layers(graph: Graph) -> list[list[str]]:
    """Return the names in layers, beginning with those that nothing requires; a cycle is broken at one of its names.

    Within a layer, each name is near the middle of the nodes that require it, so that few lines cross.
    """
    required_by = requirers(graph)
    layer: dict[str, int] = {}
    remaining = list(required_by)
    while remaining:
        free = [name for name in remaining if required_by[name] <= layer.keys()] or [
            _cycle_start(remaining, required_by)
        ]
        placed = {
            name: 1 + max((layer[each] for each in required_by[name] if each in layer), default=-1) for name in free
        }
        layer |= placed
        remaining = [name for name in remaining if name not in layer]
    ordered: list[list[str]] = []
    position: dict[str, float] = {}
    for number in range(1 + max(layer.values(), default=-1)):
        names = sorted(name for name in required_by if layer[name] == number)
        middle = {
            name: _mean([position[each] for each in sorted(required_by[name]) if each in position]) for name in names
        }
        names.sort(key=lambda name: (middle[name], name))
        position |= {name: (index + 0.5) / len(names) for index, name in enumerate(names)}
        ordered.append(names)
    return ordered


def _cycle_start(remaining: Sequence[str], required_by: Mapping[str, set[str]]) -> str:
    """Return a name of a cycle that no other cycle requires: the one with the fewest remaining ancestors."""

    def ancestors(name: str) -> int:
        seen, following = {name}, [name]
        while following:
            new = (required_by[following.pop()] & set(remaining)) - seen
            seen |= new
            following += new
        return len(seen)

    return min(remaining, key=lambda name: (ancestors(name), name))


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0
