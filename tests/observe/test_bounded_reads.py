"""No file of an environment is read without bound at depths `metadata` and `files`, and none makes a command wait."""

import os
import resource
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.observe.actual import ActualEnvironment, Depth, FindingCode
from reconciler.observe.environment import observe_environment, observe_path
from reconciler.observe.zip_archive import zip_member, zip_names
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import save_inventory
from reconciler.state.inventory_scan import take_inventory
from reconciler.state.published_generation import PublishedGeneration
from tests.observe.trees import HOME, VENV, build, dist_info

SITE = "lib/python3.12/site-packages"
INFO = f"{SITE}/acme-1.0.dist-info"
# Every file of an environment whose contents observation reads.
READ = (
    "pyvenv.cfg",
    "bin/activate",
    f"{INFO}/METADATA",
    f"{INFO}/RECORD",
    f"{INFO}/direct_url.json",
    f"{INFO}/INSTALLER",
    f"{INFO}/entry_points.txt",
    f"{SITE}/acme.pth",
    f"{SITE}/acme.start",
    f"{SITE}/sitecustomize.py",
    f"{SITE}/legacy.egg-link",
    f"{SITE}/old.egg-info",
    f"{SITE}/zipped.egg",
    f"{SITE}/acme.py",
)
_GIANT = 1 << 43  # 8 TiB; it takes no space on the disk


def fifo(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(_GIANT)


def directory(path: Path) -> None:
    path.mkdir()


REPLACED: dict[str, Callable[[Path], None]] = {each.__name__: each for each in (fifo, endless, sparse, directory)}


def observe(generation: Path, depth: Depth) -> ActualEnvironment:
    published = PublishedGeneration(
        generation=1,
        venv=generation / "venv",
        inventory=generation / "inventory",
        seal="sha256:0",
        home=HOME,
        system_site_packages=False,
    )
    return observe_environment(generation / "venv", name="web", published=published, depth=depth, inodes=InodeHashes())


@pytest.fixture
def generation(tmp_path: Path) -> Path:
    """A sealed generation that has every file of `READ`."""
    venv = tmp_path / "venv"
    venv.mkdir()
    build(venv, {**VENV, **dist_info("acme", "1.0")})
    build(venv, {each: "" for each in READ if not (venv / each).exists()})
    (venv / SITE / "zipped.pth").write_text("zipped.egg\n")
    save_inventory(take_inventory(venv, InodeHashes()), tmp_path / "inventory")
    return tmp_path


@pytest.mark.parametrize("replaced", REPLACED)
@pytest.mark.parametrize("name", READ)
def test_a_file_that_does_not_end_or_blocks_is_a_finding(name: str, replaced: str, generation: Path) -> None:
    file = generation / "venv" / name
    file.unlink()
    try:
        REPLACED[replaced](file)
    except OSError as error:
        pytest.skip(f"not on this file system: {error}")
    before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    found = observe(generation, Depth.FILES)

    assert {each.path for each in found.findings} & {name, name.rpartition("/")[0]}
    assert observe(generation, Depth.METADATA)
    assert observe_path(generation / "venv")
    used = time.process_time() - before[0], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before[1]
    assert used < (10, 512 * 1024), "generous: reading the file to its end would take hours"


def test_an_added_giant_is_found_without_its_hash(generation: Path) -> None:
    try:
        sparse(generation / "venv/share.bin")
    except OSError as error:
        pytest.skip(f"not on this file system: {error}")
    found = observe(generation, Depth.FILES)
    [added] = [each for each in found.findings if each.path == "share.bin"]
    assert (added.code, added.content) == (FindingCode.FILE_ADDED, "")


def test_a_zip_archive_with_too_many_members_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(30_000):
            archive.writestr(f"{number:0100d}", "")
    with pytest.raises(OSError, match="too many members"):
        zip_names(str(tmp_path / "many.zip"))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_that_cannot_be_unpacked_in_bounded_steps_is_refused(method: int, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", method) as archive:
        archive.writestr("PKG-INFO", bytes(1 << 20))
    with pytest.raises(OSError, match="compression is not supported"):
        zip_member(str(tmp_path / "bomb.zip"), "PKG-INFO", 1000)


def test_only_the_beginning_of_a_member_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("PKG-INFO", bytes(1 << 28))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert zip_member(str(tmp_path / "bomb.zip"), "PKG-INFO", 1000) == bytes(1000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 128 * 1024  # KiB on Linux


@pytest.mark.parametrize("cut", [0, 10, 60, 100])
def test_a_damaged_zip_archive_is_an_error_and_not_a_crash(cut: int, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "whole.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("PKG-INFO", "Name: acme\n" * 100)
    content = bytearray((tmp_path / "whole.zip").read_bytes())
    content[30 + cut % 40 : 40 + cut % 40] = b"\xff" * 10
    (tmp_path / "damaged.zip").write_bytes(bytes(content))
    with pytest.raises(OSError, match=r"."):
        zip_member(str(tmp_path / "damaged.zip"), "PKG-INFO", 100_000)
