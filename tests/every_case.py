"""`EVERY_CASE=1` runs the long form of tests that usually run a sample of their cases."""

import os
from collections.abc import Sequence
from typing import TypeVar

import pytest

EVERY_CASE = bool(os.environ.get("EVERY_CASE"))
LONGER = "takes longer: set EVERY_CASE=1"
takes_longer = pytest.mark.skipif(not EVERY_CASE, reason=LONGER)
_Case = TypeVar("_Case")


def usually(some: Sequence[_Case], every: Sequence[_Case]) -> Sequence[_Case]:
    """Return `some` of the cases, or with `EVERY_CASE=1` `every` case."""
    assert set(some) <= set(every), "the sample has a case that does not exist"
    return every if EVERY_CASE else some
