"""Take a snapshot: the environments below a root, what was last applied to them, and the host's interpreters."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from reconciler import __version__
from reconciler.diff.compare import declared_or_readable, undeclared
from reconciler.diff.faults import state_faults
from reconciler.interpreters.choose import Interpreters
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import Depth
from reconciler.observe.consistent_read import observe_consistently
from reconciler.plan.model import platform
from reconciler.snapshot.interpreters import known_interpreters
from reconciler.snapshot.model import Snapshot
from reconciler.state.applied import Applied
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.owner import other_owners
from reconciler.state.store import State


def take_snapshot(desired: DesiredState, interpreters: Interpreters, depth: Depth, named: Path | None) -> Snapshot:
    """Return the snapshot of the root of `desired`, observed at `depth`; writes only caches. Raises OSError.

    `named` is the path of the manifest as it is recorded (`reconciler.state.owner.named_path`).
    """
    state = State.at(desired.root)
    readable, unreadable = state.read()
    applied: Mapping[str, Applied] = declared_or_readable(desired, readable, unreadable)
    known = known_interpreters(desired, applied, interpreters)
    interpreters.save()
    faults = state_faults(desired, unreadable)
    names = {*(each.name for each in desired.environments), *undeclared(desired, applied), *faults}
    inodes = InodeHashes.load(state.layout.inode_hashes)
    applied, actual = observe_consistently(names, desired, state, applied, depth, inodes, faults)
    inodes.save()
    owners = other_owners(applied, desired.project, named or desired.file, desired.root)
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
        applied={
            name: replace(applied[name], manifest=owners[name].manifest if name in owners else "", repository="")
            for name in sorted(names)
            if name in applied
        },
        faults=faults,
    )
