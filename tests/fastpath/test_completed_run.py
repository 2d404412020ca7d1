"""Which files a completed run may remember: only those that certainly did not change since it examined them."""

import os
import time
from pathlib import Path

from reconciler.fastpath.completed_run import CompletedRun
from reconciler.state.inode_hashes import TICK_NS, InodeHashes
from reconciler.state.store import State
from tests.plan.build import world


def run(root: Path, *, observed: bool, since: int) -> CompletedRun:
    desired = world({"manifest": {}, "plan": {}}).desired
    return CompletedRun(
        desired=desired,
        state=State.at(root),
        applied={},
        inodes=InodeHashes(),
        since=since,
        observed=observed,
        files=True,
    )


def test_a_changed_status_is_trusted_only_if_the_run_observed_it_and_it_is_older(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("A = 1")
    status = os.lstat(file)
    later = time.time_ns() + 10 * TICK_NS
    assert run(tmp_path, observed=True, since=later).trusts(status, b"x" * 32)
    assert not run(tmp_path, observed=False, since=later).trusts(status, b"x" * 32)
    assert not run(tmp_path, observed=True, since=status.st_ctime_ns).trusts(status, b"x" * 32)
    assert not run(tmp_path, observed=False, since=later).trusts(status, b"")
