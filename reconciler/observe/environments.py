"""Observes the environments below a root: each with its published generation, and what is to be ignored in it."""

from collections.abc import Iterable, Mapping

from reconciler.fastpath.remembered import Remembered
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualState, Depth
from reconciler.observe.environment import observe_environment
from reconciler.state.applied import Applied
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.store import State


def observe(
    names: Iterable[str],
    desired: DesiredState,
    state: State,
    applied: Mapping[str, Applied],
    depth: Depth,
    inodes: InodeHashes,
    *,
    compare: bool = False,
) -> ActualState:
    """Observe the environments `names` below the root; executes nothing of them.

    What the manifest ignores counts; for an environment that it no longer names, what was last applied. Of several,
    those that are as they are remembered (`Remembered`) are not compared file by file, unless they are to `compare`.
    """
    names = sorted(names)
    remembered = Remembered(state.layout) if depth is Depth.FILES and len(names) > 1 and not compare else None
    ignore = {each.name: each.ignore_files for each in desired.environments}
    found = {}
    for name in names:
        stored = applied[name].settings.get("ignore_files") if name in applied else None
        last = tuple(str(each) for each in stored) if isinstance(stored, list) else ()
        ignored, published = ignore.get(name, last), state.published(name)
        as_sealed = remembered is not None and published is not None and remembered.as_sealed(name, published, ignored)
        (inodes.as_remembered.add if as_sealed else inodes.as_remembered.discard)(name)
        found[name] = observe_environment(
            state.layout.environment(name),
            name=name,
            published=published,
            depth=depth,
            inodes=inodes,
            ignore_files=ignored,
            as_sealed=as_sealed,
        )
    return ActualState(environments=found, depth=depth)
