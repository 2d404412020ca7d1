"""A generation is unchanged only if every inode has the contents in its own inventory, also if two share inodes."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.fastpath.agreement import RELATIVE_PATHS, SHARED_DIGEST
from reconciler.fastpath.own_columns import own_columns
from reconciler.fastpath.stat_check import StatPass, entries_unchanged
from reconciler.state.columns_file import dump_columns
from reconciler.state.hashes_file import CODES
from reconciler.state.inode_hashes import TICK_NS, InodeHashes
from reconciler.state.inventory import Inventory
from reconciler.state.inventory_file import plain_columns
from reconciler.state.inventory_scan import take_inventory

SITE = "lib/python3.11/site-packages"
OWN_FILES = ("own.txt", f"{SITE}/demo-1.dist-info/RECORD")
SHARED_FILES = (f"{SITE}/shared.py", f"{SITE}/demo/shared.py")
SIGNATURE = [0, 0, 0, 0, 0]


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[Path, Inventory]:
    """Two venvs that share some files by hard link and have others for themselves."""
    monkeypatch.chdir(tmp_path)  # restored at the end: a check may change the directory
    cache, one, other = tmp_path / "cache", tmp_path / "one", tmp_path / "other"
    for place in SHARED_FILES:
        (cache / place).parent.mkdir(parents=True, exist_ok=True)
        (cache / place).write_text(f"{place}\n")
    time.sleep(2 * TICK_NS / 1e9)
    for venv in (one, other):
        for place in OWN_FILES:
            (venv / place).parent.mkdir(parents=True, exist_ok=True)
            (venv / place).write_text(venv.name)
        for place in SHARED_FILES:
            (venv / place).parent.mkdir(parents=True, exist_ok=True)
            os.link(cache / place, venv / place)
    time.sleep(2 * TICK_NS / 1e9)
    return {venv: take_inventory(venv, InodeHashes()) for venv in (one, other)}


@pytest.mark.parametrize("portions", [[(0, 1)], [(0, 2), (1, 2)]], ids=["one-process", "two-processes"])
def test_the_contents_of_a_shared_file_are_compared_with_both_inventories(
    portions: list[tuple[int, int]], pair: dict[Path, Inventory], tmp_path: Path
) -> None:
    one, other = pair
    columns = {venv: plain_columns(inventory) for venv, inventory in pair.items()}

    def both(second: dict[str, object]) -> bool:
        """Return whether all portions find `one` and then the second unchanged, each portion in its own pass."""
        passes = [(StatPass(str(tmp_path / "none")), portion) for portion in portions]
        assert all(entries_unchanged(str(one), columns[one], stat_pass, {}, portion) for stat_pass, portion in passes)
        return all(entries_unchanged(str(other), second, stat_pass, {}, portion) for stat_pass, portion in passes)

    assert both(columns[other])
    for place in SHARED_FILES:
        content = bytes.fromhex(InodeHashes().sha256_of(other / place, (other / place).lstat()))
        with_different_contents = columns[other]["contents"].replace(content, b"?" * 32)
        assert not both({**columns[other], "contents": with_different_contents}), place


@pytest.mark.parametrize("of", [1, 2, 3, 4])
def test_each_entry_is_in_one_portion(of: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    venv = tmp_path / "venv"
    places = [venv / f"{directory}/{name}" for directory in "abcd" for name in ("one", "two")]
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(place.name)
    time.sleep(2 * TICK_NS / 1e9)
    columns = plain_columns(take_inventory(venv, InodeHashes()))

    def found() -> list[bool]:
        stat_pass = StatPass(str(tmp_path / "none"))
        return [entries_unchanged(str(venv), columns, stat_pass, {}, (number, of)) for number in range(of)]

    assert found() == [True] * of
    for place in places:
        before = place.stat()
        place.write_text("other")
        assert found().count(False) == 1, place
        place.write_text(place.name)
        os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
        columns = plain_columns(take_inventory(venv, InodeHashes()))


def test_two_venvs_have_the_same_digest_of_shared_files_which_are_not_in_their_own_columns(
    pair: dict[Path, Inventory], tmp_path: Path
) -> None:
    first, second = (own_columns(inventory, SIGNATURE) for inventory in pair.values())
    assert first[SHARED_DIGEST] == second[SHARED_DIGEST] != b""
    assert first["names"].split("\0") == ["own.txt", "RECORD"]


def test_a_different_inode_or_different_contents_change_the_digest(pair: dict[Path, Inventory], tmp_path: Path) -> None:
    _, sealed = pair.values()
    row = sealed.names.index("shared.py")
    content = sealed.contents[: 33 * row] + b"?" * 32 + sealed.contents[33 * row + 32 :]
    inodes = sealed.inodes[:]
    inodes[row] += 1
    same, other_content, other_inode = (
        own_columns(each, SIGNATURE)[SHARED_DIGEST]
        for each in (sealed, replace(sealed, contents=content), replace(sealed, inodes=inodes))
    )
    assert len({same, other_content, other_inode}) == 3


def test_own_files_and_all_directories_are_always_examined(pair: dict[Path, Inventory], tmp_path: Path) -> None:
    _, other = pair
    columns = own_columns(pair[other], SIGNATURE)

    def same() -> bool:
        return entries_unchanged(
            str(other), columns, StatPass(str(tmp_path / "none")), {}, relative=columns[RELATIVE_PATHS]
        )

    assert same()
    (other / OWN_FILES[1]).write_text("changed")
    assert not same()


@pytest.mark.parametrize("place", ["added.py", f"{SITE}/added.py", f"{SITE}/demo/added.py"])
def test_an_added_file_is_noticed_from_every_base_directory(
    place: str, pair: dict[Path, Inventory], tmp_path: Path
) -> None:
    _, other = pair
    columns = own_columns(pair[other], SIGNATURE)
    (other / place).touch()
    far = ("\0lib\0lib/python3.11\0\0demo\0demo-1.dist-info", [("", 0, 3), (SITE, 3, 6)])
    for relative in (columns[RELATIVE_PATHS], far):
        stat_pass = StatPass(str(tmp_path / "none"))
        assert not entries_unchanged(str(other), columns, stat_pass, {}, relative=relative)


def changed_and_remembered(venv: Path, root: Path, place: str) -> None:
    """Change only the ctime of a file, and remember its hash in the cache of the root."""
    file = venv / place
    file.chmod(file.stat().st_mode & 0o7777)
    time.sleep(2 * TICK_NS / 1e9)
    inodes = InodeHashes.load(root / ".envsync/cache/inodes")
    inodes.sha256_of(file, file.lstat())
    inodes.save()


def test_a_file_whose_ctime_changed_is_unchanged_if_its_contents_are_remembered(
    pair: dict[Path, Inventory], tmp_path: Path
) -> None:
    _, other = pair
    columns, root = plain_columns(pair[other]), tmp_path / "root"
    root.mkdir(0o700)
    (root / ".envsync/cache").mkdir(parents=True)

    def same() -> bool:
        return entries_unchanged(str(other), columns, StatPass(str(root)), {})

    assert same()
    (other / OWN_FILES[0]).chmod(0o644)
    assert not same()  # nothing is remembered
    changed_and_remembered(other, root, OWN_FILES[0])
    assert same()
    (other / OWN_FILES[0]).chmod(0o755)
    changed_and_remembered(other, root, OWN_FILES[0])
    assert not same()  # it may be executed now
    (other / OWN_FILES[0]).chmod(0o600)
    changed_and_remembered(other, root, OWN_FILES[0])
    assert same()
    root.chmod(0o755)
    assert not same()  # others may not read it
    (other / OWN_FILES[0]).chmod(0o644)
    changed_and_remembered(other, root, OWN_FILES[0])
    assert same()
    (other / OWN_FILES[0]).write_text("diff.")
    changed_and_remembered(other, root, OWN_FILES[0])
    assert not same()


@pytest.mark.parametrize("content", [b"", b"damaged", {}, dict.fromkeys([*CODES, "sha256"], 1)], ids=str)
def test_a_damaged_cache_is_never_believed(
    content: bytes | dict[str, int], pair: dict[Path, Inventory], tmp_path: Path
) -> None:
    _, other = pair
    root = tmp_path / "root"
    (root / ".envsync/cache").mkdir(parents=True)
    file = root / ".envsync/cache/inodes"
    file.write_bytes(content if isinstance(content, bytes) else dump_columns(str(file), "inodes", content))
    (other / OWN_FILES[0]).chmod(0o640)
    assert not entries_unchanged(str(other), plain_columns(pair[other]), StatPass(str(root)), {})
