"""What was last applied and what is there, read as one: an apply beside a reader, which takes no lock, moves both."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualState, Depth
from reconciler.observe.environments import observe
from reconciler.state.applied import Applied
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.root_mutex_holders import another_holds
from reconciler.state.store import State

_BETWEEN_LOOKS_SECONDS = 0.05
_MOST_LOOKS = 40  # what lies between an apply's rename and its record is a flush or two: two seconds are plenty


def observe_settled(
    names: Iterable[str],
    desired: DesiredState,
    state: State,
    applied: Mapping[str, Applied],
    depth: Depth,
    inodes: InodeHashes,
) -> tuple[Mapping[str, Applied], ActualState]:
    """Observe `names` as `observe` does; return what was last applied, of the same moment, and what is there.

    Where `applied` and the path name different generations, or the path moved while it was read (a generation that is
    not published any more may be collected meanwhile), those environments are looked at again until two looks agree and
    nobody holds the root's lock: that is then no apply's doing. After two seconds it is told as it stands.
    """
    actual = observe(names, desired, state, applied, depth, inodes)
    moving = _unsettled(actual, applied, state)
    for _ in range(_MOST_LOOKS):
        if not moving:
            break
        time.sleep(_BETWEEN_LOOKS_SECONDS)
        beside = another_holds(state.layout)
        now = {name: state.applied(name) for name in moving}
        applied = {name: each for name, each in {**applied, **now}.items() if each is not None}
        inodes.begin_pass()
        again = observe(moving, desired, state, applied, depth, inodes)
        actual = replace(actual, environments={**actual.environments, **again.environments})
        before, moving = moving, _unsettled(again, applied, state)
        moving = {name: seen for name, seen in moving.items() if beside or before[name] != seen}
    return applied, actual


def _unsettled(actual: ActualState, applied: Mapping[str, Applied], state: State) -> dict[str, tuple[int, int, int]]:
    """Return the environments of which last applied, seen and now published generation differ, with these three."""
    found = {}
    for name, each in actual.environments.items():
        last = applied[name].generation if name in applied else 0
        seen = (last, each.generation, state.layout.published_number(name))
        if len(set(seen)) > 1:
            found[name] = seen
    return found
