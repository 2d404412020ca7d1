"""Plan from a snapshot: compare a manifest and its locks with a host's snapshot, without the host."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from reconciler.diff.compare import compare, undeclared
from reconciler.diff.renames import find_renames
from reconciler.diff.root_access import with_present_access
from reconciler.manifest.desired import DesiredState
from reconciler.manifest.times import today_in_utc
from reconciler.plan.make import make_plan
from reconciler.plan.model import Plan, Policy
from reconciler.snapshot.model import Snapshot
from reconciler.state.owner import OtherOwner
from reconciler.targets import LockOptions, resolve_targets, skipped_note


def plan_snapshot(
    snapshot: Snapshot,
    declared: DesiredState,
    *,
    locked: bool,
    policy: Policy,
    exceptions: Iterable[tuple[str, str]] = (),
) -> Plan:
    """Return the plan for the host of the snapshot, at the host's root. Nothing is resolved.

    With `locked`, a missing or stale lock is an error. Raises SnapshotError if the snapshot is of another project or
    selection, or LockError.
    """
    snapshot.refuse_mismatch(declared)
    desired = replace(declared, root=Path(snapshot.root))
    applied = snapshot.last_applied(desired)
    owners = {name: OtherOwner(manifest=each.manifest) for name, each in applied.items() if each.manifest}
    faults = snapshot.state_faults(desired)
    renames = find_renames(desired, applied, faults)
    faults, owners, applied = renames.faults(faults, {}), renames.owners(owners), renames.applied(applied)
    applied = with_present_access(applied, None, 0)
    made = resolve_targets(
        desired, snapshot.interpreters, None, applied, LockOptions(resolve=None, locked=locked), faults
    )
    # The host's checkout is elsewhere than this one, so the directories of editable packages prove nothing.
    # The mode of its root is not in a snapshot.
    targets = {
        name: replace(each, editables={}, places={}, environment=replace(each.environment, access=None))
        for name, each in made.items()
    }
    notes = tuple(skipped_note(each) for each in desired.environments if each.name not in targets)
    desired = desired.only(targets)
    renames, actual = renames.observed(
        snapshot.actual([*targets, *undeclared(desired, applied), *faults, *renames.pairs.values()])
    )
    diff = compare(desired, targets, actual, applied, exceptions, today=today_in_utc())
    plan = make_plan(
        desired, diff, targets, actual, applied, policy, owners=owners, faults=faults, staged={}, renames=renames
    )
    return replace(plan, platform=snapshot.platform, notes=notes)
