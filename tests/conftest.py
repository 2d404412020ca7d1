"""Fixtures that several kinds of tests share."""

from pathlib import Path

import pytest

from tests.interpreters import interpreters


@pytest.fixture(scope="session")
def pythons() -> dict[str, Path]:
    """The interpreters of this machine by series (`3.12`)."""
    return interpreters()
