"""An edit of a file that is shared by hard links is found and repaired in every environment that has the file."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.functional.host_state import published
from tests.host import Host

GOOD = "NAME = 'beta'\n"
HEAD = "cache: %s\n"
ENVIRONMENT = '%s:\n  python: "3.11"\n  packages: [alpha==%s]\n  link_mode: hardlink\n'

Edit = Callable[[Path], None]


def rewrite(path: Path) -> None:
    """Write contents of a different length, in place."""
    with path.open("r+") as file:
        file.write("NAME = 'something else'\n")


def rewrite_with_the_same_stat(path: Path) -> None:
    """Write different contents and keep size and mtime: only the ctime differs."""
    before = path.stat()
    with path.open("r+") as file:
        file.write(GOOD.replace("beta", "evil"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def two_environments_twice(host: Host, cache: str) -> None:
    """Apply `a` and `b` twice; all four generations share one file of beta.

    `a` comes first, because two environments that fetch the same file at the same time get a copy each.
    """
    for names, version in (("a", "1.0"), ("ab", "1.0"), ("ab", "1.1")):
        host.manifest("".join(ENVIRONMENT % (name, version) for name in names), head=HEAD % cache)
        assert host.envsync("apply", "--yes").code == 0
    inodes = {path.stat().st_ino for path in host.root.glob(".envsync/generations/*/*/venv/lib/*/*/beta.py")}
    assert len(inodes) == 1
    assert beta(host, "a").stat().st_nlink == 5, "four generations, and the engine's cache"


def beta(host: Host, name: str) -> Path:
    return host.site_packages(name) / "beta.py"


def other_name(path: Path, directory: Path) -> Path:
    """Return the path of the same inode below a different directory."""
    return next(each for each in directory.rglob(path.name) if each.samefile(path))


def edited(found: list[dict[str, Any]], packages: str) -> list[tuple[str, str, str]]:
    return [
        (environment["name"], package["name"], package["action"])
        for environment in found
        for package in environment[packages]
        if package["action"] != "no-op"
    ]


@pytest.mark.parametrize(("cache", "edit"), [("own", rewrite_with_the_same_stat), ("user", rewrite)])
def test_an_edit_is_found_and_repaired_in_every_environment_that_shares_the_file(
    host: Host, tmp_path: Path, cache: str, edit: Edit
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    host.env |= {"HOME": str(home), "PYENV_ROOT": os.environ.get("PYENV_ROOT") or str(Path.home() / ".pyenv")}
    two_environments_twice(host, cache)
    shared = beta(host, "a").resolve() if cache == "own" else other_name(beta(host, "a"), home)
    edit(shared)

    both = [("a", "beta", "repair"), ("b", "beta", "repair")]
    for depth in ("files", "hashes"):
        assert edited(host.check("--depth", depth)["environments"], "packages") == both
        ran = host.envsync("verify", "--depth", depth)
        assert ran.code == 2
        assert "Verify: 2 changed." in ran.out
    ran = host.envsync("rollback", "b", "--no-rebuild")
    assert ran.code == 1
    assert "generation 1 differs from its seal: `beta`: 1 file edited" in ran.err
    assert published(host, "b") == 2

    host.apply()
    assert [beta(host, name).read_text() for name in "ab"] == [GOOD, GOOD]
    assert not shared.exists() or not beta(host, "a").samefile(shared)
    assert host.envsync("verify").code == 0

    host.manifest("".join(ENVIRONMENT % (name, "1.1") for name in "abc"), head=HEAD % cache)
    host.apply()
    assert beta(host, "c").read_text() == GOOD
    refused = host.envsync("rollback", "a", "--to", "1", "--no-rebuild")
    assert refused.code == 1, "the old generation still has the edited file"
