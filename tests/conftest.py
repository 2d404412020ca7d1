"""Fixtures and settings for all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.installed_pythons import interpreters
from tests.own_state import signature, use_own_state

# The examples are always the same, so that a failure comes from the change. EXAMPLES=2000 tries new ones.
# No deadline for one example: a busy machine is not a fault. A test that must end in time has its own timeout.
_MORE = os.environ.get("EXAMPLES")
settings.register_profile("repeated", deadline=None, derandomize=True)
settings.register_profile("explored", deadline=None, max_examples=int(_MORE or 100))
settings.load_profile("explored" if _MORE else "repeated")

_REAL_STATE = use_own_state()
_BEFORE = signature(_REAL_STATE) if _REAL_STATE else {}

LONGEST = (
    "test_six_real_environments.py",
    "test_short_sweep.py",
    "test_a_hostile_checkout.py",
    "test_one_change_from_pull_request_to_applied.py",
    "test_machine.py",
    "test_long_run.py",
    "test_rounds.py",
    "test_full_disk.py",
    "test_harness.py",
    "test_power.py",
    "test_pre_commit.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the longest tests first, so that no process works alone at the end."""
    items.sort(key=lambda each: each.path.name not in LONGEST)


def pytest_sessionfinish() -> None:
    """Let the run fail if something wrote to the directory with the key of the user who runs the tests."""
    if _REAL_STATE and signature(_REAL_STATE) != _BEFORE:
        pytest.exit(f"a test, or something else in the meantime, changed `{_REAL_STATE}`", returncode=1)


@pytest.fixture(scope="session")
def pythons() -> dict[str, Path]:
    """Return the interpreters of this machine by series (`3.12`)."""
    return interpreters()
