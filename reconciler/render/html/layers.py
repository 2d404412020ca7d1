"""Where the nodes of a dependency graph stand: in layers, each right of all that require it."""

from collections.abc import Mapping, Sequence

Graph = Mapping[str, Sequence[str]]


def names_of(graph: Graph) -> list[str]:
    """Return all that a graph names, sorted: what is there and what is only required."""
    return sorted({*graph, *(each for required in graph.values() for each in required)})


def requirers(graph: Graph) -> dict[str, set[str]]:
    """Return by name what requires it, but for itself."""
    found: dict[str, set[str]] = {name: set() for name in names_of(graph)}
    for name, required in graph.items():
        for each in required:
            if each != name:
                found[each].add(name)
    return found


def layers(graph: Graph) -> list[list[str]]:
    """Return names in layers, those that nothing requires first; a circle is opened at one of its names.

    Within a layer a name stands near the middle of what requires it, so that few lines cross.
    """
    above = requirers(graph)
    layer: dict[str, int] = {}
    left = list(above)
    while left:
        free = [name for name in left if above[name] <= layer.keys()] or [_opened(left, above)]
        placed = {name: 1 + max((layer[each] for each in above[name] if each in layer), default=-1) for name in free}
        layer |= placed
        left = [name for name in left if name not in layer]
    ordered: list[list[str]] = []
    place: dict[str, float] = {}
    for number in range(1 + max(layer.values(), default=-1)):
        names = sorted(name for name in above if layer[name] == number)
        middle = {name: _mean([place[each] for each in sorted(above[name]) if each in place]) for name in names}
        names.sort(key=lambda name: (middle[name], name))
        place |= {name: (index + 0.5) / len(names) for index, name in enumerate(names)}
        ordered.append(names)
    return ordered


def _opened(left: Sequence[str], above: Mapping[str, set[str]]) -> str:
    """Return a name of a circle that nothing outside of it leads to: fewest names of `left` are above it."""

    def ancestors(name: str) -> int:
        seen, following = {name}, [name]
        while following:
            new = (above[following.pop()] & set(left)) - seen
            seen |= new
            following += new
        return len(seen)

    return min(left, key=lambda name: (ancestors(name), name))


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0
