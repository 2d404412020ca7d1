"""What environments share is hashed for the first of them; those that come later look at it, and read nothing again."""

from pathlib import Path

import pytest

import reconciler
from reconciler.state import inode_hashes
from tests.host import Host, base_environment

ONE = 'web:\n  python: "3.11"\n  packages: [alpha, gamma]\n'


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read to be hashed from now on, in this process."""
    found: list[str] = []
    real = inode_hashes.hash_file

    def spied(path: str | Path) -> object:
        found.append(str(path))
        return real(path)

    monkeypatch.setattr(inode_hashes, "hash_file", spied)
    return found


def apply(host: Host) -> None:
    result = reconciler.load(host.directory / "envs.yaml", ambient=base_environment()).plan().apply()
    assert result.exit_code == 0


def of_packages(paths: list[str]) -> list[str]:
    return [path for path in paths if path.endswith(("alpha/__init__.py", "beta.py", "gamma/__init__.py"))]


def test_a_new_environment_of_packages_that_another_one_has(host: Host, read: list[str]) -> None:
    host.manifest(ONE)
    apply(host)
    assert len(of_packages(read)) == 3
    read.clear()
    host.manifest(ONE + ONE.replace("web", "api"))
    apply(host)
    assert of_packages(read) == []
    assert [each["name"] for each in host.check("--depth", "hashes")["environments"] if each["action"] != "no-op"] == []


def test_a_new_generation_of_an_environment(host: Host, read: list[str]) -> None:
    host.manifest(ONE)
    apply(host)
    read.clear()
    host.manifest(ONE.replace("alpha", "alpha==1.0"))
    apply(host)
    assert [path.rpartition("/site-packages/")[2] for path in of_packages(read)] == ["alpha/__init__.py"]


def test_what_was_edited_in_the_other_one_is_read_and_not_taken_over(host: Host, read: list[str]) -> None:
    host.manifest(ONE)
    apply(host)
    edited = host.site_packages("web") / "beta.py"
    edited.write_text("NAME = 'mine'\n")  # through the link into the cache, and so into whatever is built from it
    read.clear()
    host.manifest(ONE + ONE.replace("web", "api"))
    apply(host)
    assert of_packages(read)
    for name in ("web", "api"):
        assert (host.site_packages(name) / "beta.py").read_text() == "NAME = 'beta'\n"
