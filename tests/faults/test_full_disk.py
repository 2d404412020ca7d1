"""The short form of the full disk (see docs/reliability.md): two sizes, each too small in a different way."""

from pathlib import Path

import pytest

from tests.faults.full_disk import full_disk_trials, section, why_not


def test_a_full_disk_leaves_the_old_environment_and_space_is_enough_to_continue(tmp_path: Path) -> None:
    if reason := why_not():
        pytest.skip(reason)
    with full_disk_trials(tmp_path, ("upgrade",)) as (upgrade,):
        done = [upgrade.fill(room) for room in (40, 130)]
    assert not [each.verdict for each in done if each.verdict.bad]
    assert [each.failed for each in done] == [True, True]
    assert section(done).splitlines()[2] == "| upgrade | 2 | 2 | 40 to 130 | 0 | 0 | 0 | 0 |"


def test_the_report_says_why_it_was_not_run() -> None:
    assert section([], reason="only root may mount") == "not run: only root may mount\n"
