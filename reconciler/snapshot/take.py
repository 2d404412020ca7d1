"""Takes a snapshot: what stands below a root, what was last applied, and the interpreters, to be judged elsewhere."""

from datetime import UTC, datetime

from reconciler import __version__
from reconciler.diff.compare import retired
from reconciler.interpreters.choose import Interpreters
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import Depth
from reconciler.observe.consistent_read import observe_settled
from reconciler.plan.model import platform
from reconciler.snapshot.interpreters import known_interpreters
from reconciler.snapshot.model import Snapshot
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.store import State


def take_snapshot(desired: DesiredState, interpreters: Interpreters, depth: Depth) -> Snapshot:
    """Return what stands below the root of `desired` at `depth`; writes nothing but caches."""
    state = State.at(desired.root)
    applied = state.last_applied()
    known = known_interpreters(desired, applied, interpreters)
    interpreters.save()
    names = [*(each.name for each in desired.environments), *retired(desired, applied)]
    inodes = InodeHashes.load(state.layout.inode_hashes)
    applied, actual = observe_settled(names, desired, state, applied, depth, inodes)
    inodes.save()
    return Snapshot(
        project=desired.project,
        root=str(desired.root),
        version=__version__,
        platform=platform(),
        taken=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        depth=depth,
        selected=desired.selected,
        interpreters=known,
        environments=actual.environments,
        applied={name: applied[name] for name in names if name in applied},
    )
