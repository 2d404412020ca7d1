"""Topological order of environments."""

from collections.abc import Collection, Mapping


def topological_order(predecessors: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """Return the names so that each follows its predecessors; names that are free at the same time are sorted.

    Predecessors that are not among the names, and a name as its own predecessor, do not count. If a cycle blocks all
    remaining names, the first of them comes next.
    """
    # Not graphlib: it refuses cycles, and records that were written at different times can contain one.
    remaining = set(predecessors)
    order: list[str] = []
    while remaining:
        free = sorted(name for name in remaining if not (remaining & set(predecessors[name])) - {name})
        order += free or [min(remaining)]
        remaining.difference_update(order)
    return tuple(order)
