"""Records at the end of a run what the fast path will need: the manifest reading, and one agreement an environment."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress

from reconciler.canonical_json import digest
from reconciler.diff.model import Target
from reconciler.events import RunFinished, Status
from reconciler.fastpath.agreement import machine_identity, manifest_reading_path
from reconciler.fastpath.completed_run import CompletedRun, write_cache_file
from reconciler.fastpath.record_environment import record_environment
from reconciler.fastpath.stat_check import StatPass
from reconciler.fs.access import is_own, make_cache_directory
from reconciler.fs.access_bits import root_bits
from reconciler.fs.own_files import unlink_own
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import Depth
from reconciler.plan.model import Action, Plan
from reconciler.state.applied import Applied
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_scan import wait_for_clock_tick
from reconciler.state.layout import Layout
from reconciler.state.root_check import writers_of
from reconciler.state.store import State

MOST_READINGS = 64


def record_plan_outcome(
    plan: Plan, desired: DesiredState, state: State, applied: Mapping[str, Applied], inodes: InodeHashes, *, since: int
) -> None:
    """Record the environments that a plan found unchanged, without hints; `since` is when it began (nanoseconds)."""
    files = plan.depth is not Depth.METADATA
    unchanged = {
        each.name: each.target
        for each in plan.environments
        if each.action is Action.NO_OP and each.target is not None and not (each.blocked or each.hints)
    }
    run = CompletedRun(
        desired=desired, state=state, applied=applied, inodes=inodes, since=since, observed=True, files=files
    )
    _record(run, unchanged)


def record_apply_outcome(
    plan: Plan, result: RunFinished, desired: DesiredState, state: State, inodes: InodeHashes, *, since: int
) -> None:
    """Record the environments that an apply brought up to date or found so; the root mutex must be held.

    `since` is when the run began (nanoseconds).
    """
    done = {each.environment for each in result.environments if each.status in {Status.APPLIED, Status.UNCHANGED}}
    targets = {each.name: each.target for each in plan.environments if each.name in done and each.target is not None}
    applied = state.last_applied()
    _wait_for_tick_after_records(state, targets)
    run = CompletedRun(
        desired=desired, state=state, applied=applied, inodes=inodes, since=since, observed=False, files=False
    )
    _record(run, targets)


def _wait_for_tick_after_records(state: State, names: Iterable[str]) -> None:
    """Wait until whatever is written from now on gets a later ctime than the records, which an apply writes last."""
    recorded = 0
    for name in names:
        with suppress(OSError):
            recorded = max(recorded, state.layout.record(name).lstat().st_ctime_ns)
    wait_for_clock_tick(recorded)


def _record(run: CompletedRun, targets: Mapping[str, Target]) -> None:
    """Record that each of `targets` is what was last applied, which the caller has found.

    In a root that is not writable, or that belongs to a different user, nothing is recorded: the next run examines
    everything again.
    """
    cache = run.state.layout.cache
    if not is_own(cache) or not os.access(cache, os.W_OK):
        return
    with suppress(OSError):
        reading = _record_manifest(run)
        make_cache_directory(run.state.layout.agreements)
        stat_pass = StatPass(str(run.state.layout.root))
        for name, target in targets.items():
            record_environment(run, name, target, reading, stat_pass)


def _record_manifest(run: CompletedRun) -> str:
    """Write which files the manifest was read from and what it declares; return the digest of these files' contents."""
    desired, root = run.desired, str(run.state.layout.root)
    file = os.path.abspath(desired.file)  # noqa: PTH100  # keeps symbolic links
    inputs = [(str(each.path), each.sha256, run.signature(each.path)) for each in desired.inputs]
    contents = digest([file, *([path, sha256] for path, sha256, _ in inputs)])
    if not desired.selected:
        reading: dict[str, object] = {
            "file": file,
            "root": root,
            "machine": machine_identity(),
            "access": root_bits(root),
            "writers": writers_of(root),
            "digest": contents,
            "inputs": inputs,
            "names": sorted(desired.declared),
        }
        write_cache_file(manifest_reading_path(root, file), reading)
        _drop_old_readings(run.state.layout)
    return contents


def _drop_old_readings(layout: Layout) -> None:
    """Delete the oldest manifest readings: each checkout that shares a root leaves one."""
    readings = list(layout.cache.glob("manifest-*"))
    if len(readings) > MOST_READINGS:
        readings.sort(key=lambda each: each.lstat().st_mtime_ns)
        for each in readings[:-MOST_READINGS]:
            unlink_own(str(each))
