"""Reads last applied and actual state so that both are of the same moment.

A reader does not acquire the root mutex, so an apply may change both states while they are read.
"""

import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

from reconciler.errors import StateError
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualState, Depth
from reconciler.observe.environments import observe_environments
from reconciler.state.applied import Applied
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.root_mutex_holder import held_by_another_process
from reconciler.state.store import State

_BETWEEN_READS_SECONDS = 0.05
_MOST_READS = 40  # an apply needs a flush or two between its rename and its record: two seconds are enough


def observe_consistently(
    names: Iterable[str],
    desired: DesiredState,
    state: State,
    applied: Mapping[str, Applied],
    depth: Depth,
    inodes: InodeHashes,
    unreadable: Collection[str] = (),
) -> tuple[Mapping[str, Applied], ActualState]:
    """Return the last applied and the actual state of `names`, as `observe_environments` reads it, of the same moment.

    An environment may be inconsistent: last applied state and path have different generations, or the path changed
    while it was read (the old generation may then be collected). It is read again until two reads agree and no other
    process holds the root mutex, because then the cause is not an apply. After two seconds the last read is returned.
    What was last applied to the environments in `unreadable` is not read again.
    """
    actual = observe_environments(names, desired, state, applied, depth, inodes)
    inconsistent = _inconsistent(actual, applied, state, unreadable)
    for _ in range(_MOST_READS):
        if not inconsistent:
            break
        time.sleep(_BETWEEN_READS_SECONDS)
        apply_runs = held_by_another_process(state.layout)
        now = {name: _readable(state, name) for name in inconsistent}
        applied = {name: each for name, each in {**applied, **now}.items() if each is not None}
        inodes.begin_pass()
        again = observe_environments(inconsistent, desired, state, applied, depth, inodes)
        actual = replace(actual, environments={**actual.environments, **again.environments})
        before, inconsistent = inconsistent, _inconsistent(again, applied, state, unreadable)
        inconsistent = {name: seen for name, seen in inconsistent.items() if apply_runs or before[name] != seen}
    return applied, actual


def _readable(state: State, name: str) -> Applied | None:
    """Return what was last applied to `name`, None if that is unknown or cannot be read."""
    with suppress(StateError):
        return state.applied(name)
    return None


def _inconsistent(
    actual: ActualState, applied: Mapping[str, Applied], state: State, unreadable: Collection[str]
) -> dict[str, tuple[int, int, int]]:
    """Return the environments whose last applied, observed and currently published generations differ, with these."""
    found = {}
    for name, each in actual.environments.items():
        last = applied[name].generation if name in applied else 0
        seen = (last, each.generation, state.layout.published_number(name))
        if len(set(seen)) > 1 and name not in unreadable:
            found[name] = seen
    return found
