"""The state that a version is computed from changes with commit, tags, index and changed files, as git sees them."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from reconciler.git.version_state import changed_files, version_state
from tests.repository import git

LONG_AGO = 1_000_000_000  # seconds


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """Return a working tree whose files are older than its index."""
    made = tmp_path / "top"
    return created(made)


def created(top: Path, *options: str) -> Path:
    git(top.parent, "init", "-q", *options, str(top))
    for name in ("a", "b/c", "old"):
        (top / name).parent.mkdir(exist_ok=True)
        (top / name).write_text(name)
        os.utime(top / name, (LONG_AGO, LONG_AGO))
    (top / "link").symlink_to("a")
    git(top, "add", "--all")
    git(top, "commit", "-q", "-m", "first")
    return top


def state(top: Path) -> dict[str, Any]:
    found = version_state(top, without=None)
    assert isinstance(found, dict)
    return found


def changed(top: Path) -> list[str]:
    names = changed_files(top)
    assert state(top)["dirty"] is bool(names)
    return names


def test_outside_of_a_repository_there_is_none(tmp_path: Path) -> None:
    assert (version_state(tmp_path, without=None), changed_files(tmp_path)) == (None, [])


def test_once_a_file_is_changed_other_edits_of_tracked_files_do_not_count(top: Path) -> None:
    clean = state(top)
    (top / "a").write_text("different")
    dirty = state(top)
    assert dirty != clean
    (top / "b/c").write_text("different")
    (top / "a").write_text("staged")
    git(top, "add", "a")
    assert state(top) == dirty
    (top / "new").write_text("x")
    assert state(top) == dirty
    git(top, "add", "new")
    assert state(top) != dirty


def test_it_has_the_commit_and_the_tags_and_is_the_same_from_below_and_in_a_clone(top: Path, tmp_path: Path) -> None:
    first = state(top)
    assert first["commit"] == git(top, "rev-parse", "HEAD").strip()
    assert (first["tags"], first["reftable"], first["dirty"]) == ({}, None, False)
    git(top, "tag", "v1")
    assert state(top)["tags"] == {"refs/tags/v1": first["commit"]}
    assert version_state(top / "b", without=None) == state(top)
    git(tmp_path, "clone", "-q", str(top), str(tmp_path / "clone"))
    assert state(tmp_path / "clone") == state(top)


def test_a_staged_file_changes_the_index_unless_its_name_does_not_count(top: Path) -> None:
    names = re.compile(r"new.*")
    before, without = state(top), version_state(top, without=names)
    assert without == before
    (top / "b/new.txt").write_text("x")
    git(top, "add", "--all")
    assert state(top)["index"] != before["index"]
    assert version_state(top, without=names) == without
    (top / "b/new.txt").write_text("yy")
    assert changed(top) == ["b/new.txt"]
    assert version_state(top, without=names) == without


@pytest.mark.parametrize("options", [(), ("--object-format=sha256",)], ids=["sha1", "sha256"])
def test_a_file_is_changed_if_its_contents_are_different(options: tuple[str, ...], tmp_path: Path) -> None:
    top = created(tmp_path / "top", *options)
    (top / "a").write_text("a")  # the same contents, later
    (top / "b/c").write_text("xyz")
    assert changed(top) == ["b/c"]
    (top / "b/c").write_text("abc")
    (top / "old").unlink()
    (top / "link").unlink()
    (top / "link").symlink_to("b")
    (top / "a").unlink()
    (top / "a").mkdir()
    assert changed(top) == ["a", "b/c", "link", "old"]
    (top / "link").unlink()
    (top / "link").symlink_to("a")
    os.mkfifo(top / "old")  # it is never opened, which would wait
    assert changed(top) == ["a", "b/c", "old"]


def test_a_file_that_was_modified_before_the_index_is_judged_by_its_size_and_time(top: Path) -> None:
    (top / "a").write_text("X")
    os.utime(top / "a", (LONG_AGO, LONG_AGO))
    assert changed(top) == []  # as for git
    (top / "a").write_text("longer")
    os.utime(top / "a", (LONG_AGO, LONG_AGO))
    assert changed(top) == ["a"]


@pytest.mark.parametrize("seconds", [LONG_AGO, LONG_AGO - 1])
def test_a_file_that_was_modified_with_the_index_or_later_is_read(seconds: int, top: Path) -> None:
    os.utime(top / ".git/index", (seconds, seconds))
    assert changed(top) == []
    (top / "a").write_text("X")
    os.utime(top / "a", (LONG_AGO, LONG_AGO))
    assert changed(top) == ["a"]


def test_files_that_git_does_not_compare_are_not_changed(top: Path, tmp_path: Path) -> None:
    git(top, "update-index", "--assume-unchanged", "a")
    git(top, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    (top / "a").write_text("different")
    (top / "module").mkdir()
    assert changed(top) == []


def test_an_empty_repository_has_neither_commit_nor_files(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    found = state(tmp_path)
    assert (found["commit"], found["dirty"]) == (None, False)
    assert changed_files(tmp_path) == []


def test_a_large_file_is_read_too(top: Path) -> None:
    with (top / "large").open("wb") as file:
        file.truncate(33 * 1024**2)
    git(top, "add", "large")
    os.utime(top / "large", (LONG_AGO, LONG_AGO))
    assert changed(top) == []
    with (top / "large").open("r+b") as file:
        file.write(b"x")
    assert changed(top) == ["large"]


def test_the_files_of_a_reftable_count(top: Path) -> None:
    (top / ".git/reftable").mkdir()
    (top / ".git/reftable/tables.list").write_bytes(b"0x1-\xff.ref\n")
    assert state(top)["reftable"] == "0x1-\ufffd.ref\n"
    (top / ".git/reftable/tables.list").rename(top / ".git/listed")
    (top / ".git/reftable/tables.list").symlink_to("../listed")
    assert state(top)["reftable"] == "0x1-\ufffd.ref\n"
