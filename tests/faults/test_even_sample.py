"""Every beginning of a run with limited time is an even sample."""

import pytest

from tests.faults.even_sample import evenly, halving_order


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 100])
def test_every_number_occurs_once(count: int) -> None:
    assert sorted(halving_order(count)) == list(range(count))


def test_the_first_numbers_are_spread_over_all() -> None:
    assert halving_order(8) == [0, 4, 2, 6, 1, 5, 3, 7]
    first = sorted(halving_order(1000)[:16])
    assert max(later - earlier for earlier, later in zip(first, [*first[1:], 1000], strict=True)) <= 128


def test_groups_take_turns_until_each_is_complete() -> None:
    items = ["a0", "a1", "a2", "a3", "b0", "b1"]
    assert evenly(items, lambda each: each[0]) == ["a0", "b0", "a2", "b1", "a1", "a3"]
