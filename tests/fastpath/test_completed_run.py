"""Which files a completed run may remember: only those that certainly did not change since it examined them."""

import os
import time
from pathlib import Path

import pytest

from reconciler.fastpath import completed_run
from reconciler.fastpath.agreement import stat_signature
from reconciler.fastpath.completed_run import CompletedRun, write_cache_file
from reconciler.fs.read import read_regular
from reconciler.lock.lock_file import parse_lock
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


LOCK = 'lock-version = "1.0"\ncreated-by = "envsync"\npackages = []\n'


def test_a_lock_that_the_run_wrote_is_remembered_if_it_still_has_these_contents(tmp_path: Path) -> None:
    path = tmp_path / "pylock.web.toml"
    lock = parse_lock(LOCK, path, "web")
    building = run(tmp_path, observed=False, since=0)
    assert building.lock_signature(lock, fresh=False) is None, "it is missing"
    path.write_text(LOCK)
    time.sleep(2 * TICK_NS / 1e9)
    assert building.lock_signature(lock, fresh=False) == stat_signature(path.lstat())
    assert run(tmp_path, observed=True, since=0).lock_signature(lock, fresh=False) is None, "it read something else"
    path.write_text(LOCK + "# edited manually\n")
    time.sleep(2 * TICK_NS / 1e9)
    assert building.lock_signature(lock, fresh=False) is None


def test_a_lock_that_changed_within_the_last_tick_or_while_it_was_read_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pylock.web.toml"
    lock = parse_lock(LOCK, path, "web")
    path.write_text(LOCK)
    now = path.lstat().st_ctime_ns
    building = run(tmp_path, observed=False, since=0)
    for age, known in ((TICK_NS, False), (TICK_NS + 1, True)):
        monkeypatch.setattr(time, "time_ns", lambda age=age: now + age)
        assert (building.lock_signature(lock, fresh=False) is not None) is known

    def read_and_changed(path: Path) -> bytes:
        found = read_regular(path)
        os.utime(path)
        return found

    monkeypatch.setattr(completed_run, "read_regular", read_and_changed)
    assert building.lock_signature(lock, fresh=False) is None


def test_a_lock_that_the_run_only_read_is_remembered_if_it_is_older(tmp_path: Path) -> None:
    path = tmp_path / "pylock.web.toml"
    lock = parse_lock(LOCK, path, "web")
    path.write_text("changed since")
    changed = path.lstat().st_ctime_ns
    later, earlier = changed + TICK_NS + 1, changed + TICK_NS
    assert run(tmp_path, observed=True, since=later).lock_signature(lock, fresh=True) == stat_signature(path.lstat())
    assert run(tmp_path, observed=True, since=earlier).lock_signature(lock, fresh=True) is None
    assert run(tmp_path, observed=False, since=earlier).lock_signature(lock, fresh=True) is None


def test_a_file_that_the_run_wrote_may_be_younger(tmp_path: Path) -> None:
    file = tmp_path / "record"
    file.write_text("1")
    (tmp_path / "link").symlink_to("record")
    early = run(tmp_path, observed=True, since=0)
    assert early.signature(file) is None
    assert early.signature(tmp_path / "missing", written_by_run=True) is None
    assert early.signature(file, written_by_run=True) == stat_signature(file.stat())
    assert early.signature(tmp_path / "link", written_by_run=True) == stat_signature(file.stat())
    assert early.signature(tmp_path / "link", written_by_run=True, follow=False) == stat_signature(
        (tmp_path / "link").lstat()
    )


def test_a_remembered_hash_is_trusted_too(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("A = 1")
    time.sleep(2 * TICK_NS / 1e9)
    status = file.lstat()
    building = run(tmp_path, observed=False, since=0)
    building.inodes.remember(status, b"x" * 32)
    assert building.trusts(status, b"x" * 32)
    assert not building.trusts(status, b"y" * 32)


def test_a_cache_file_is_written_only_if_its_contents_change(tmp_path: Path) -> None:
    path = tmp_path / "agreed"
    write_cache_file(str(path), {"generation": 1})
    before = path.stat()
    write_cache_file(str(path), {"generation": 1})
    assert path.stat() == before
    write_cache_file(str(path), {"generation": 2})
    assert path.stat().st_ino != before.st_ino
