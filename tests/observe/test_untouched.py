"""A generation is untouched only where every inode holds what its own inventory says, whoever of two looks at it."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.fastpath.agreement import NEAR, SHARED
from reconciler.fastpath.own_columns import own_columns
from reconciler.fastpath.stat_check import Pass, untouched
from reconciler.state.inode_hashes import TICK_NS, InodeHashes
from reconciler.state.inventory_file import Inventory, plain_columns
from reconciler.state.inventory_scan import take_inventory

SITE = "lib/python3.11/site-packages"
OWN_FILES = ("own.txt", f"{SITE}/demo-1.dist-info/RECORD")
SHARED_FILES = (f"{SITE}/shared.py", f"{SITE}/demo/shared.py")
SIGNATURE = (0, 0, 0, 0, 0)


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[Path, Inventory]:
    """Two venvs, with files of their own, that share others by hard link."""
    monkeypatch.chdir(tmp_path)  # put back at the end: a look moves
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


@pytest.mark.parametrize("shares", [[(0, 1)], [(0, 2), (1, 2)]], ids=["alone", "by-two"])
def test_what_one_environment_shows_of_a_shared_file_is_held_against_the_other(
    shares: list[tuple[int, int]], pair: dict[Path, Inventory], tmp_path: Path
) -> None:
    one, other = pair
    columns = {venv: plain_columns(inventory) for venv, inventory in pair.items()}

    def both(second: dict[str, object]) -> bool:
        """Say whether all shares find first `one` and then the second untouched, each share in a pass of its own."""
        passes = [(Pass(str(tmp_path / "none")), share) for share in shares]
        assert all(untouched(str(one), columns[one], looking, {}, share) for looking, share in passes)
        return all(untouched(str(other), second, looking, {}, share) for looking, share in passes)

    assert both(columns[other])
    for place in SHARED_FILES:
        content = bytes.fromhex(InodeHashes().sha256_of(other / place, (other / place).lstat()))
        sealed_with_another = columns[other]["contents"].replace(content, b"?" * 32)
        assert not both({**columns[other], "contents": sealed_with_another}), place


def test_what_two_share_is_the_same_for_both_and_left_out_of_their_own(
    pair: dict[Path, Inventory], tmp_path: Path
) -> None:
    first, second = (own_columns(inventory, SIGNATURE) for inventory in pair.values())
    assert first[SHARED] == second[SHARED] != b""
    assert first["names"].split("\0") == ["own.txt", "RECORD"]


def test_another_inode_or_another_content_is_not_the_same_to_share(pair: dict[Path, Inventory], tmp_path: Path) -> None:
    _, sealed = pair.values()
    row = sealed.names.index("shared.py")
    content = sealed.contents[: 33 * row] + b"?" * 32 + sealed.contents[33 * row + 32 :]
    inodes = sealed.inodes[:]
    inodes[row] += 1
    same, other_content, other_inode = (
        own_columns(each, SIGNATURE)[SHARED]
        for each in (sealed, replace(sealed, contents=content), replace(sealed, inodes=inodes))
    )
    assert len({same, other_content, other_inode}) == 3


def test_its_own_files_and_all_directories_are_looked_at_all_the_same(
    pair: dict[Path, Inventory], tmp_path: Path
) -> None:
    _, other = pair
    columns = own_columns(pair[other], SIGNATURE)

    def same() -> bool:
        return untouched(str(other), columns, Pass(str(tmp_path / "none")), {}, near=columns[NEAR])

    assert same()
    (other / OWN_FILES[1]).write_text("by somebody")
    assert not same()


@pytest.mark.parametrize("place", ["added.py", f"{SITE}/added.py", f"{SITE}/demo/added.py"])
def test_what_was_added_beside_it_is_seen_from_every_station(
    place: str, pair: dict[Path, Inventory], tmp_path: Path
) -> None:
    _, other = pair
    columns = own_columns(pair[other], SIGNATURE)
    (other / place).touch()
    far = ("\0lib\0lib/python3.11\0\0demo\0demo-1.dist-info", [("", 0, 3), (SITE, 3, 6)])
    for near in (columns[NEAR], far):
        assert not untouched(str(other), columns, Pass(str(tmp_path / "none")), {}, near=near)
