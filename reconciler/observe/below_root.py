"""Observes the environments below a root: each with its published generation, and what is to be ignored in it."""

from collections.abc import Iterable, Mapping

from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualState, Depth
from reconciler.observe.environment import observe_environment
from reconciler.state.applied import Applied
from reconciler.state.inodes import InodeHashes
from reconciler.state.store import State


def observe(
    names: Iterable[str],
    desired: DesiredState,
    state: State,
    applied: Mapping[str, Applied],
    depth: Depth,
    inodes: InodeHashes,
) -> ActualState:
    """Observe the environments `names` below the root; executes nothing of them.

    What the manifest ignores counts; for an environment that it no longer names, what was last applied.
    """
    ignore = {each.name: each.ignore_files for each in desired.environments}
    found = {}
    for name in sorted(names):
        stored = applied[name].settings.get("ignore_files") if name in applied else None
        remembered = tuple(str(each) for each in stored) if isinstance(stored, list) else ()
        found[name] = observe_environment(
            state.layout.environment(name),
            name=name,
            published=state.published(name),
            depth=depth,
            inodes=inodes,
            ignore_files=ignore.get(name, remembered),
        )
    return ActualState(environments=found, depth=depth)
