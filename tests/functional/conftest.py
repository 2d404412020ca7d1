"""Fixtures of the functional tests: real venvs, a real uv, a local index."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host import Host, new_host


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """Yield a host that has only a local index."""
    with new_host(tmp_path) as made:
        yield made
