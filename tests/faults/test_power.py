"""The short form of the power cuts: two after exit 0, one before each sync, one with both left out."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.loop_device import why_not
from tests.faults.power import section
from tests.faults.power_cuts import Cut, Wanted, power_cuts
from tests.faults.power_trial import not_run


@pytest.fixture(scope="module")
def cuts(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Cut]:
    """Return a cut after each of two operations, one before each sync, one without; or say why none can be made."""
    if reason := not_run():
        pytest.skip(f"not run: {reason}")
    upgrade = Wanted(operation="upgrade", after=1)
    create = Wanted(operation="create", after=1, before=["syncfs 1"], left_out=["syncfs"])
    return power_cuts(tmp_path_factory.mktemp("power"), [upgrade, create])


def test_after_exit_0_a_power_cut_damages_nothing(cuts: Sequence[Cut]) -> None:
    kept = [each for each in cuts if each.verdict.code == 0 and not each.left_out]
    assert [each.operation for each in kept] == ["upgrade", "create"]
    assert not [each for each in kept if each.wrong]


def test_before_each_sync_it_does_not_either_for_nothing_gives_that_generation_out(cuts: Sequence[Cut]) -> None:
    during = [each for each in cuts if each.verdict.died]
    assert [each.verdict.hit for each in during] == ["syncfs .envs/.envsync/generations/web/1"] * 2
    assert not [each for each in during if each.wrong]


def test_with_the_sync_left_out_it_does(cuts: Sequence[Cut]) -> None:
    lost = [each for each in cuts if each.left_out]
    assert [each.operation for each in lost] == ["create"]
    assert "generation 1 is sealed, and not whole" in lost[0].verdict.torn


def test_where_no_power_can_be_cut_the_report_says_that_it_was_not_run() -> None:
    assert section([], reason="only root may mount") == "not run: only root may mount\n"


def test_without_the_tools_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert why_not() == "no mkfs.ext4, mount, umount"
