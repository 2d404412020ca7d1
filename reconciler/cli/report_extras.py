"""What the HTML report shows beyond the plan: the history of runs and the dependency graphs of this machine."""

from collections.abc import Mapping
from pathlib import Path

from reconciler.canonical_json import Json
from reconciler.errors import StateError
from reconciler.observe.actual import Occupant
from reconciler.observe.dependency_graph import requirement_graph
from reconciler.observe.environment import observe_path
from reconciler.plan.model import Plan
from reconciler.state.history import read_history
from reconciler.state.store import State

_RUNS = 20
_GRAPHS = 50  # more graphs would make the page too large to read


def newest_runs(root: Path) -> tuple[Mapping[str, Json], ...]:
    """Return the last runs, newest first; none if the history cannot be read, because it may be lost without harm."""
    try:
        runs = read_history(State.at(root).layout)
    except StateError:
        return ()
    return tuple(reversed(runs[-_RUNS:]))


def published_graphs(plan: Plan, root: Path) -> dict[str, Mapping[str, tuple[str, ...]]]:
    """Return by name the dependency graph of the first environments that change, as they are published."""
    layout = State.at(root).layout
    graphs: dict[str, Mapping[str, tuple[str, ...]]] = {}
    for each in plan.changes:
        if len(graphs) == _GRAPHS:
            break
        if each.target is None or not layout.published_number(each.name):
            continue
        observed = observe_path(layout.environment(each.name))
        if observed.occupant is Occupant.VENV:
            graphs[each.name] = requirement_graph(observed, each.target.interpreter.markers)
    return graphs
