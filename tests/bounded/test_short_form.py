"""A sample of the cases of `python -m tests.bounded`: every kind of file is read or refused in bounded time.

Each is a sixteenth as large as it may be. The bound is generous: work in proportion to the square of the length takes
minutes at this size.
"""

import random
from pathlib import Path

import pytest

from tests.bounded.inputs import INPUTS, Input
from tests.bounded.run import outcome
from tests.every_case import EVERY_CASE

MOST_SECONDS = 20.0  # of processor time
CASES = 400 if EVERY_CASE else 6


@pytest.mark.parametrize("each", INPUTS, ids=lambda each: each.name)
def test_a_large_file_is_read_or_refused(each: Input, tmp_path: Path) -> None:
    cases = list(each.texts(each.largest // 16))
    for number, (name, make) in enumerate(random.Random(each.name).sample(cases, min(CASES, len(cases)))):  # noqa: S311
        directory = tmp_path / str(number)
        directory.mkdir()
        seconds, problem = outcome(each.read, directory, make(), most=MOST_SECONDS)
        assert not problem, name
        assert seconds < MOST_SECONDS, name
