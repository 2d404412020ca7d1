"""Templates: in which order they are applied, and how two levels become one."""

from collections.abc import Iterator, Mapping, Sequence


def lineage(extends: Sequence[str], templates: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the templates behind `extends`, the most general first, each once.

    `templates` says what each template extends itself. Unknown names and cycles are left out: they are problems of
    their own. A template that two others extend is applied once, before both.
    """
    order: dict[str, None] = {}
    entered: set[str] = set()
    trail: list[tuple[str, Iterator[str]]] = [("", iter(extends))]  # a stack of its own: chains may be long
    while trail:
        name, rest = trail[-1]
        following = next(rest, None)
        if following is None:
            trail.pop()
            if trail:
                order[name] = None
        elif following in templates and following not in entered:
            entered.add(following)
            trail.append((following, iter(templates[following])))
    return tuple(order)


def merged(levels: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Return one mapping for several: lists (tuples) are joined, mappings merged, anything else is the last one's."""
    result: dict[str, object] = {}
    for level in levels:
        for key, later in level.items():
            earlier = result.get(key)
            if isinstance(earlier, tuple) and isinstance(later, tuple):
                result[key] = (*earlier, *later)
            elif isinstance(earlier, Mapping) and isinstance(later, Mapping):
                result[key] = merged((earlier, later))
            else:
                result[key] = later
    return result


def cycles_of(graph: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Return cycles of a graph (node to its successors), none twice; without them the graph has none.

    Each starts at the node of it that `graph` lists first, and does not repeat it at its end.
    """
    position = {node: number for number, node in enumerate(graph)}
    cycles: dict[tuple[str, ...], None] = {}
    done: set[str] = set()
    for start in graph:
        if start in done:
            continue
        trail: dict[str, Iterator[str]] = {start: iter(graph[start])}
        while trail:
            node = next(reversed(trail))
            following = next(trail[node], None)
            if following is None:
                del trail[node]
                done.add(node)
            elif following in trail:
                names = list(trail)
                cycle = names[names.index(following) :]
                first = cycle.index(min(cycle, key=position.__getitem__))
                cycles[(*cycle[first:], *cycle[:first])] = None
            elif following in graph and following not in done:
                trail[following] = iter(graph[following])
    return list(cycles)
