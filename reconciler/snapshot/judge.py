"""Judges a snapshot by a manifest and locks: the plan of the host, made without it."""

from dataclasses import replace
from pathlib import Path

from reconciler.diff.compare import compare, retired
from reconciler.manifest.desired import DesiredState
from reconciler.plan.make import make_plan
from reconciler.plan.model import Plan, Policy
from reconciler.snapshot.model import Snapshot
from reconciler.targets import LockOptions, aim


def judge_snapshot(snapshot: Snapshot, wanted: DesiredState, *, locked: bool, policy: Policy) -> Plan:
    """Return what differs on the host of which `snapshot` is; raises SnapshotError where it is another project's."""
    snapshot.refuse_another(wanted)
    desired = replace(wanted, root=Path(snapshot.root))
    applied = snapshot.last_applied(desired)
    aimed = aim(desired, snapshot.interpreters, None, applied, LockOptions(locked=locked))
    actual = snapshot.actual([*aimed, *retired(desired, applied)])
    plan = make_plan(desired, compare(desired, aimed, actual, applied), aimed, actual, applied, policy)
    return replace(plan, platform=snapshot.platform)
