"""The short form of the full disk (see docs/reliability.md): sizes that are too small in different ways."""

from pathlib import Path

import pytest

from tests.faults.full_disk import disk_operations, full_disk_trials, section, why_not
from tests.faults.operations import operations

TRIED = {
    "upgrade": [("KiB", 130)],
    "delete": [("KiB", 4)],
    "restore": [("files", 1)],
    "rollback without --to": [("KiB", 4)],
    "gc-deleted": [("files", 1)],
}


def test_a_full_disk_changes_nothing_or_says_what_was_done_and_space_is_enough_to_continue(tmp_path: Path) -> None:
    if reason := why_not():
        pytest.skip(reason)
    with full_disk_trials(tmp_path, TRIED) as trials:
        done = [each.fill(unit, room) for each in trials for unit, room in TRIED[each.operation.name]]
    assert not [each.verdict for each in done if each.verdict.bad]
    assert all(each.failed for each in done)
    assert not [each.verdict.words for each in done if "already" in each.verdict.words]  # nothing was changed
    assert len(section(done).splitlines()) == 2 + len(TRIED) + 1
    assert "| upgrade | 1 | 1 | 130 to 130 | - | 0 | 0 | 0 | 0 |" in section(done)


def test_every_operation_that_succeeds_is_tried() -> None:
    tried = {each.name for each in disk_operations("3.11", "3.12")}
    assert tried == {each.name for each in operations("3.11", "3.12") if not each.code} | {"rollback without --to"}


def test_the_report_says_why_it_was_not_run() -> None:
    assert section([], reason="only root may mount") == "not run: only root may mount\n"
