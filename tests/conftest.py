"""Fixtures that several kinds of tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.installed_pythons import interpreters

# The same commit has the same examples: a failure is of the change. EXAMPLES=2000 looks for new ones.
# A timed assert fails on a busy machine, not for a fault: what must end in time has a timeout of its own.
_MORE = os.environ.get("EXAMPLES")
settings.register_profile("repeated", deadline=None, derandomize=True)
settings.register_profile("explored", deadline=None, max_examples=int(_MORE or 100))
settings.load_profile("explored" if _MORE else "repeated")

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
