"""A directory is unchanged only if it is the recorded one: same device, same inode, same time."""

import os
from array import array
from pathlib import Path

import pytest

from reconciler.fastpath.agreement import RELATIVE_PATHS, SHARED_DIGEST
from reconciler.fastpath.stat_check import StatPass, entries_unchanged, environment_unchanged
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import plain_columns
from reconciler.state.inventory_scan import take_inventory


@pytest.mark.parametrize("change_directory", [False, True])
@pytest.mark.parametrize(
    "column", ["", "directory_inodes", "directory_ctimes", "inodes", "ctimes", "directory_devices devices"]
)
def test_another_number_in_the_record_is_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, column: str, change_directory: bool
) -> None:
    monkeypatch.chdir(tmp_path)  # restored at the end
    (tmp_path / "venv" / "inner").mkdir(parents=True)
    (tmp_path / "venv" / "inner" / "file").write_text("one")
    columns = plain_columns(take_inventory(tmp_path / "venv", InodeHashes()))

    def unchanged() -> bool:
        check = StatPass(str(tmp_path / "none"))
        return entries_unchanged(str(tmp_path / "venv"), columns, check, {}, change_directory=change_directory)

    assert unchanged()
    for name in column.split():
        numbers = array("Q", columns[name])
        for place in range(len(numbers)):
            numbers[place] += 1
        columns[name] = numbers.tobytes()
    assert unchanged() is not bool(column)
    os.chdir(tmp_path)


@pytest.mark.parametrize("content", [None, b"", b"damaged"])
def test_an_inventory_that_cannot_be_read_is_a_change(tmp_path: Path, content: bytes | None) -> None:
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "file").write_text("one")
    own = {**plain_columns(take_inventory(tmp_path / "venv", InodeHashes())), SHARED_DIGEST: "", RELATIVE_PATHS: None}
    check = StatPass(str(tmp_path / "none"))
    assert environment_unchanged(str(tmp_path / "venv"), own, "", check, {})
    if content is not None:
        (tmp_path / "inventory").write_bytes(content)
    own[SHARED_DIGEST] = "sha256:1"
    assert not environment_unchanged(str(tmp_path / "venv"), own, str(tmp_path / "inventory"), check, {})


@pytest.mark.parametrize(("change", "unchanged"), [(False, True), (True, False)])
def test_a_directory_that_was_accepted_later_must_be_the_same_too(
    tmp_path: Path, change: bool, unchanged: bool
) -> None:
    venv = tmp_path / "venv"
    (venv / "inner").mkdir(parents=True)
    columns = plain_columns(take_inventory(venv, InodeHashes()))
    (venv / "inner" / "made-later").mkdir()
    times = {
        each: [(venv / each).stat().st_mtime_ns, (venv / each).stat().st_ctime_ns]
        for each in ("inner", "inner/made-later")
    }
    if change:
        (venv / "inner" / "made-later" / "file").write_text("")
    check = StatPass(str(tmp_path / "none"))
    assert entries_unchanged(str(venv), columns, check, times) is unchanged
    assert not entries_unchanged(str(venv), columns, check, {})
