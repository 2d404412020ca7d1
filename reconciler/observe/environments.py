"""Observes the environments below a root, each with its published generation and its ignored files."""

from collections.abc import Iterable, Mapping

from reconciler.fastpath.quick_comparison import QuickComparison
from reconciler.manifest.desired import DesiredState
from reconciler.manifest.times import today_in_utc
from reconciler.observe.actual import ActualState, Depth
from reconciler.observe.environment import observe_environment
from reconciler.state.applied import Applied
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.store import State


def observe_environments(
    names: Iterable[str],
    desired: DesiredState,
    state: State,
    applied: Mapping[str, Applied],
    depth: Depth,
    inodes: InodeHashes,
    *,
    compare: bool = False,
) -> ActualState:
    """Return the actual state of the environments `names` below the root, without running any code of them.

    The manifest says which files are ignored; for an environment that it no longer declares, the last applied state
    does. If there are several, those that `QuickComparison` finds unchanged are not compared file by file, unless
    `compare` is set.
    """
    names = sorted(names)
    quick = QuickComparison(state.layout) if depth is Depth.FILES and len(names) > 1 and not compare else None
    ignore = {each.name: each.ignored_files for each in desired.environments}
    found = {}
    today = today_in_utc()
    for name in names:
        last = applied[name].ignore_patterns("ignore_files", today) if name in applied else ()
        ignored, published = ignore.get(name, last), state.published(name)
        # A rebuild must keep ignored files, so they have to be found; the quick comparison only skips them.
        as_sealed = (
            quick is not None
            and published is not None
            and not ignored
            and quick.files_as_sealed(name, published, ignored)
        )
        (inodes.quickly_compared.add if as_sealed else inodes.quickly_compared.discard)(name)
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
