"""Fixtures: a team's repository on a host, and a pull request."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host import Host, new_host
from tests.repository import committed_on_main
from tests.surfaces.pull_request import PullRequest, open_pull_request


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """Yield a host with the team's repository, on which nothing is applied yet."""
    with new_host(tmp_path) as made:
        committed_on_main(made)
        yield made


@pytest.fixture
def pull_request() -> Iterator[PullRequest]:
    """Yield a pull request without comments."""
    with open_pull_request() as opened:
        yield opened
