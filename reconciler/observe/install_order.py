"""The order in which pip installs packages: first what a package requires, otherwise by name from last to first."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

_Node = tuple[str, tuple[str, ...]]  # a package, with the extras that a different package requires of it


def install_order(requirements: Mapping[str, Sequence[str]], markers: Mapping[str, str]) -> list[str]:
    """Return the names of `requirements` in the order of `pip install`, the last one last.

    `requirements` has the requirements (PEP 508) of each package by normalized name, `markers` the environment that
    their markers are evaluated in. pip installs in rounds: first the packages that require nothing, then those that
    require only installed ones, and in each round by name from last to first. If packages require each other, one
    round has all of them. Requirements that are not installed, or that cannot be parsed, do not count.
    """
    graph: dict[_Node, list[_Node]] = {}
    pending: list[_Node] = [(name, ()) for name in requirements]
    parsed = {name: list(_parse(lines)) for name, lines in requirements.items()}
    while pending:
        node = pending.pop()
        if node in graph:
            continue
        name, extras = node
        children: list[_Node] = [(name, ())] if extras else []
        for requirement in parsed[name]:
            key = str(canonicalize_name(requirement.name))
            if key in requirements and _applies(requirement, extras, markers):
                children.append((key, tuple(sorted(str(canonicalize_name(each)) for each in requirement.extras))))
        graph[node] = children
        pending += children
    rounds = _rounds(graph)
    # Stable: within a round the names stay in reverse order.
    return sorted(sorted(requirements, reverse=True), key=lambda name: rounds[name, ()])


def _parse(lines: Iterable[str]) -> Iterable[Requirement]:
    for line in lines:
        with suppress(InvalidRequirement):
            yield Requirement(line)


def _applies(requirement: Requirement, extras: Collection[str], markers: Mapping[str, str]) -> bool:
    """Return whether a package that is installed with these extras has this requirement."""
    if requirement.marker is None:
        return True
    if requirement.marker.evaluate({**markers, "extra": ""}):
        return True
    return any(requirement.marker.evaluate({**markers, "extra": extra}) for extra in extras)


def _rounds(graph: Mapping[_Node, Sequence[_Node]]) -> dict[_Node, int]:
    """Return the round of each node: one more than the latest of its children, equal for nodes of one cycle."""
    component: dict[_Node, int] = {}
    found: dict[_Node, int] = {}
    for number, members in enumerate(_components(graph)):  # children come before what requires them
        component.update(dict.fromkeys(members, number))
        below = [found[child] for node in members for child in graph[node] if component[child] != number]
        found.update(dict.fromkeys(members, max(below, default=-1) + 1))
    return found


def _components(graph: Mapping[_Node, Sequence[_Node]]) -> Iterable[list[_Node]]:
    """Yield the strongly connected components, each after those that it requires (Tarjan, without recursion)."""
    index: dict[_Node, int] = {}
    low: dict[_Node, int] = {}
    stack: list[_Node] = []
    on_stack: set[_Node] = set()
    for start in graph:
        if start in index:
            continue
        work = [(start, iter(graph[start]))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, children = work[-1]
            for child in children:
                if child not in index:
                    index[child] = low[child] = len(index)
                    stack.append(child)
                    on_stack.add(child)
                    work.append((child, iter(graph[child])))
                    break
                if child in on_stack:
                    low[node] = min(low[node], index[child])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    members = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        members.append(member)
                        if member == node:
                            break
                    yield members
