"""A comparison with a revision knows the former names of environments."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.test_a_change_is_shown_against_a_revision import WEB, against, lines, lock, needs_git
from tests.host import Host, new_host
from tests.repository import commit

pytestmark = needs_git


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with new_host(tmp_path) as made:
        yield made


def test_a_renamed_environment_is_compared_with_its_former_name(host: Host) -> None:
    host.manifest(WEB)
    lock(host)
    commit(host)
    host.manifest(WEB.replace("web:", "site:\n  renamed_from: web").replace("alpha==1.0", "alpha==1.1"))
    lock(host)
    [site] = against(host, "main").values()
    assert (site["name"], site["renamed_from"], site["action"]) == ("site", "web", "rename")
    assert lines(site) == [("upgrade", "alpha", "1.0", "1.1")]
