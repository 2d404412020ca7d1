"""What changes while an inventory is taken is scanned again."""

from pathlib import Path

import pytest

from reconciler.state import inventory_scan
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_scan import take_inventory


@pytest.mark.parametrize("late", ["new", "inner/new", "file"])
def test_what_is_written_during_the_scan_is_scanned_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    """A file is written in the tick in which the first scan begins, and `late` before the second begins."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "file").write_text("one")
    writes = iter(["inner/first", late])
    wait = inventory_scan.wait_for_clock_tick

    def waited(moment: int) -> int:
        started = wait(moment)
        for name in [next(writes, "")]:
            if name:
                (tmp_path / name).write_text("later")
        return started

    monkeypatch.setattr(inventory_scan, "wait_for_clock_tick", waited)
    found = {each.path: each.size for each in take_inventory(tmp_path, InodeHashes()).entries}
    assert found["inner/first"] == 5
    assert found[late] == 5
