"""A file that environments share is hashed once; for later environments it is not read again."""

from pathlib import Path

import pytest

import reconciler
from reconciler.state import inode_hashes
from tests.host import Host, base_environment

ONE = 'web:\n  python: "3.11"\n  packages: [alpha, gamma]\n'


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that collects the paths of all files that this process hashes."""
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


def test_a_new_environment_with_known_packages_reads_none_of_their_files(host: Host, read: list[str]) -> None:
    host.manifest(ONE)
    apply(host)
    assert len(of_packages(read)) == 3
    read.clear()
    host.manifest(ONE + ONE.replace("web", "api"))
    apply(host)
    assert of_packages(read) == []
    assert [each["name"] for each in host.check("--depth", "hashes")["environments"] if each["action"] != "no-op"] == []


def test_a_new_generation_reads_only_the_files_of_changed_packages(host: Host, read: list[str]) -> None:
    host.manifest(ONE)
    apply(host)
    read.clear()
    host.manifest(ONE.replace("alpha", "alpha==1.0"))
    apply(host)
    assert [path.rpartition("/site-packages/")[2] for path in of_packages(read)] == ["alpha/__init__.py"]


def test_a_shared_file_that_was_edited_is_read_and_not_used_again(host: Host, read: list[str]) -> None:
    host.manifest(ONE)
    apply(host)
    edited = host.site_packages("web") / "beta.py"
    edited.write_text("NAME = 'mine'\n")  # also edits the file in the cache, which is a hard link
    read.clear()
    host.manifest(ONE + ONE.replace("web", "api"))
    apply(host)
    assert of_packages(read)
    for name in ("web", "api"):
        assert (host.site_packages(name) / "beta.py").read_text() == "NAME = 'beta'\n"
