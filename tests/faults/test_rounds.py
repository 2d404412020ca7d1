"""The short form of the rounds: one round of eight applies, a pip, reading commands and a killed mutex holder."""

import sys

import pytest

from tests.faults.round_judge import ENDS, RoundVerdict
from tests.faults.round_script import APPLIES, draw
from tests.faults.rounds import run_rounds, section

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc to find a holder and a hang")
SEED = 1653  # all four reading commands, a pip, and an early kill


def test_eight_applies_at_once_leave_nothing_corrupt_and_nothing_hangs() -> None:
    script = draw(SEED)
    assert script.pip_run is not None
    assert script.readers
    (verdict,) = run_rounds([SEED])
    assert not verdict.bad, [*verdict.corrupt, *verdict.hung, *verdict.unclear]
    assert sum(verdict.ended[each] for each in ENDS) == APPLIES
    assert verdict.ended["applied"] >= 1
    assert verdict.ended["read"] == len(script.readers)


def test_a_seed_draws_the_same_round_again() -> None:
    assert draw(SEED) == draw(SEED)
    assert len({draw(seed) for seed in range(50)}) == 50


def test_the_table_counts_and_names_bad_rounds() -> None:
    fine, bad = RoundVerdict(seed=1), RoundVerdict(seed=2, hung=["envsync apply"])
    fine.ended.update({"applied": 7, "killed": 1})
    lines = section([fine, bad]).splitlines()
    row = dict(zip(*(line.strip("| ").split(" | ") for line in (lines[0], lines[2])), strict=True))
    assert (row["rounds"], row["applies"], row["killed"], row["corrupt"], row["hung"]) == ("2", "8", "1", "0", "1")
    assert lines[-1] == "Bad rounds, by seed: 2."
