"""The short form of the power cuts: two after exit 0, one before each sync, one with the sync left out."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.loop_device import why_not
from tests.faults.power import section
from tests.faults.power_cuts import Cut, Wanted, power_cuts
from tests.faults.power_trial import not_run


@pytest.fixture(scope="module")
def cuts(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Cut]:
    """Return a cut after each of two operations, one before each sync, and one without the sync."""
    if reason := not_run():
        pytest.skip(f"not run: {reason}")
    upgrade = Wanted(operation="upgrade", after=1)
    create = Wanted(operation="create", after=1, before=["syncfs 1"], left_out=["syncfs"])
    return power_cuts(tmp_path_factory.mktemp("power"), [upgrade, create])


def test_after_exit_0_a_power_cut_damages_nothing(cuts: Sequence[Cut]) -> None:
    kept = [each for each in cuts if each.verdict.code == 0 and not each.left_out]
    assert [each.operation for each in kept] == ["upgrade", "create"]
    assert not [each for each in kept if each.wrong]


def test_before_each_sync_it_damages_nothing_because_no_command_uses_that_generation(cuts: Sequence[Cut]) -> None:
    during = [each for each in cuts if each.verdict.died]
    assert [each.verdict.hit for each in during] == ["syncfs .envs/.envsync/generations/web/1"] * 2
    assert not [each for each in during if each.wrong]


def test_without_the_sync_a_power_cut_does_damage(cuts: Sequence[Cut]) -> None:
    lost = [each for each in cuts if each.left_out]
    assert [each.operation for each in lost] == ["create"]
    assert "generation 1 is sealed, but not complete" in lost[0].verdict.torn


def test_the_report_says_why_it_was_not_run() -> None:
    assert section([], reason="no loop device") == "not run: no loop device\n"


def test_missing_tools_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert why_not() == "not installed: mkfs.ext4, mount, umount"
