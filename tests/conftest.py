"""Fixtures that several kinds of tests share."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.interpreters import interpreters

# A timed assert fails on a busy machine, not for a fault: what must end in time has a timeout of its own.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

LONGEST = (
    "test_six_real_environments.py",
    "test_short_sweep.py",
    "test_machine.py",
    "test_harness.py",
    "test_power.py",
    "test_pre_commit.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest: at the end, one process would wait for the other."""
    items.sort(key=lambda each: each.path.name not in LONGEST)


@pytest.fixture(scope="session")
def pythons() -> dict[str, Path]:
    """The interpreters of this machine by series (`3.12`)."""
    return interpreters()
