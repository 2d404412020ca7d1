"""The tracked files of a directory, with mode and object name: in a revision, and in the working tree as it is now."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from dulwich.index import IndexEntry
from dulwich.objects import ObjectID

from reconciler.errors import RevisionError
from reconciler.revision.files import RevisionFiles
from reconciler.revision.git_revision import open_revision
from reconciler.revision.tracked_files import _current, _nanoseconds, revision_tracked, source_content, worktree_tracked
from tests.repository import git

COMMIT = "1" * 40
LONG_AGO = 1_000_000_000


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """Return a repository with files, a link, a program and a submodule; the files are older than the index."""
    made = tmp_path / "top"
    (made / "lib/inner").mkdir(parents=True)
    for name in ("one", "lib/two", "lib/inner/three", "lib-side"):
        (made / name).write_text(name)
        os.utime(made / name, (LONG_AGO, LONG_AGO))
    (made / "lib/run").write_text("run")
    (made / "lib/run").chmod(0o755)
    (made / "lib/link").symlink_to("two")
    git(tmp_path, "init", "-q", str(made))
    git(made, "add", "--all")
    git(made, "update-index", "--add", "--cacheinfo", f"160000,{COMMIT},lib/module")
    git(made, "commit", "-q", "-m", "first")
    (made / "lib/module").mkdir()
    return made


def tracked(top: Path, directory: str) -> tuple[Mapping[str, tuple[int, str]], Mapping[str, tuple[int, str]]]:
    """Return what is tracked in a directory: in `HEAD`, and in the working tree."""
    with open_revision(top, "HEAD") as revision:
        below = revision_tracked(RevisionFiles(revision, top))
        return below(top / directory), worktree_tracked(revision)(top / directory)


def blob(top: Path, text: str) -> str:
    (top.parent / "blob").write_text(text)
    return git(top, "hash-object", "--no-filters", str(top.parent / "blob"))


def test_both_sides_are_equal_if_nothing_changed(top: Path) -> None:
    expected = {
        "two": (0o100644, blob(top, "lib/two")),
        "inner/three": (0o100644, blob(top, "lib/inner/three")),
        "run": (0o100755, blob(top, "run")),
        "link": (0o120000, blob(top, "two")),
        "module": (0o160000, COMMIT),
    }
    assert tracked(top, "lib") == (expected, expected)
    whole = {f"lib/{name}": value for name, value in expected.items()}
    whole |= {name: (0o100644, blob(top, name)) for name in ("one", "lib-side")}
    assert tracked(top, ".") == (whole, whole)


def test_a_submodule_is_its_commit(top: Path) -> None:
    assert tracked(top, "lib/module") == ({"": (0o160000, COMMIT)}, {"": (0o160000, COMMIT)})
    assert tracked(top, "lib/none") == ({}, {})


def test_a_directory_outside_the_repository_has_no_tracked_files(top: Path) -> None:
    with open_revision(top, "HEAD") as revision:
        assert worktree_tracked(revision)(top.parent) == {}


def test_changes_of_the_working_tree_are_seen(top: Path) -> None:
    before, _ = tracked(top, "lib")
    (top / "lib/two").write_text("changed")
    (top / "lib/run").chmod(0o644)
    (top / "lib/link").unlink()
    (top / "lib/link").symlink_to("inner")
    (top / "lib/inner/three").unlink()
    (top / "lib/untracked").write_text("x")
    after, now = tracked(top, "lib")
    assert after == before
    assert now == {
        "two": (0o100644, blob(top, "changed")),
        "run": (0o100644, blob(top, "run")),
        "link": (0o120000, blob(top, "inner")),
        "module": (0o160000, COMMIT),
    }
    (top / "lib/two").unlink()
    (top / "lib/two").mkdir()
    (top / "lib/inner").rmdir()
    (top / "lib/inner").write_text("a file now")
    assert tracked(top, "lib")[1].keys() == {"run", "link", "module"}


def test_a_file_that_is_older_than_the_index_is_judged_by_its_stat(top: Path) -> None:
    before, _ = tracked(top, "lib")
    (top / "lib/two").write_text("LIB/TWO")  # the same size
    os.utime(top / "lib/two", (LONG_AGO, LONG_AGO))
    assert tracked(top, "lib")[1] == before
    os.utime(top / ".git/index", (LONG_AGO, LONG_AGO))
    assert tracked(top, "lib")[1]["two"] == (0o100644, blob(top, "LIB/TWO"))
    os.utime(top / ".git/index")
    (top / "lib/two").write_text("longer than before")
    os.utime(top / "lib/two", (LONG_AGO, LONG_AGO))
    assert tracked(top, "lib")[1]["two"] == (0o100644, blob(top, "longer than before"))
    (top / "lib/inner/three").chmod(0o755)
    assert tracked(top, "lib")[1]["inner/three"][0] == 0o100755


def test_files_that_are_not_checked_out_count_as_unchanged(top: Path) -> None:
    before, _ = tracked(top, "lib")
    git(top, "update-index", "--skip-worktree", "lib/two")
    (top / "lib/two").unlink()
    assert tracked(top, "lib")[1] == before


def test_a_file_in_conflict_is_listed(top: Path) -> None:
    git(top, "checkout", "-q", "-b", "other")
    (top / "lib/two").write_text("theirs")
    git(top, "commit", "-q", "-a", "-m", "theirs")
    git(top, "checkout", "-q", "-")
    (top / "lib/two").write_text("ours")
    git(top, "commit", "-q", "-a", "-m", "ours")
    with pytest.raises(AssertionError):
        git(top, "merge", "-q", "other")
    (top / "lib/two").write_text("resolved")
    assert tracked(top, "lib")[1]["two"] == (0o100644, blob(top, "resolved"))


def test_without_an_index_nothing_is_tracked(top: Path) -> None:
    (top / ".git/index").unlink()
    assert tracked(top, "lib")[1] == {}


def test_a_damaged_index_is_an_error_with_a_hint(top: Path) -> None:
    (top / ".git/index").write_bytes(b"damaged")
    with pytest.raises(RevisionError, match="the git index of") as caught:
        tracked(top, "lib")
    assert caught.value.hint == "run `git status` to find or fix the problem"


def test_an_editable_installation_depends_on_the_metadata_files_only(tmp_path: Path) -> None:
    files = {"pyproject.toml": (0o100644, "1"), "a.py": (0o100644, "2"), "pylock.web.toml": (0o100644, "3")}

    def content(*, editable: bool, without: str = "") -> str:
        now = {name: value for name, value in files.items() if name != without}
        return source_content(tmp_path, now, locks=tmp_path, editable=editable)

    assert content(editable=True) == content(editable=True, without="a.py")
    assert content(editable=True) != content(editable=True, without="pyproject.toml")
    assert content(editable=False) != content(editable=False, without="a.py")
    assert content(editable=False) == content(editable=False, without="pylock.web.toml")
    submodule = [
        source_content(tmp_path, {"": (0o160000, commit)}, locks=tmp_path / "locks", editable=editable)
        for commit in (COMMIT, "2" * 40)
        for editable in (True, False)
    ]
    assert (submodule[0], submodule[2]) == (submodule[1], submodule[3])
    assert submodule[0] != submodule[2]


def test_times_are_compared_in_nanoseconds() -> None:
    assert [_nanoseconds(each) for each in (3, 3.9, (3, 7))] == [3_000_000_000, 3_000_000_000, 3_000_000_007]


def test_a_repository_with_long_object_names_is_compared_by_them(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    git(tmp_path, "init", "-q", "--object-format=sha256", str(top))
    (top / "one").write_text("changed")
    name = blob(top, "one")
    assert len(name) == 64
    entry = IndexEntry(
        ctime=0, mtime=0, dev=0, ino=0, mode=0o100644, uid=0, gid=0, size=3, sha=ObjectID(name.encode("ascii")), flags=0
    )
    assert _current(top / "one", entry, 0) == (0o100644, blob(top, "changed"))


def test_a_file_in_conflict_and_any_mode_of_a_file_are_as_they_are_on_disk(tmp_path: Path) -> None:
    top = tmp_path / "top"
    git(tmp_path, "init", "-q", "-b", "main", str(top))
    for name in ("gone", "kept", "run"):
        (top / name).write_text(name)
    git(top, "add", "--all")
    git(top, "commit", "-q", "-m", "first")
    git(top, "checkout", "-q", "-b", "other")
    (top / "gone").write_text("theirs")
    (top / "kept").unlink()
    git(top, "commit", "-q", "-a", "-m", "theirs")
    git(top, "checkout", "-q", "main")
    (top / "gone").unlink()
    (top / "kept").write_text("ours")
    git(top, "commit", "-q", "-a", "-m", "ours")
    with pytest.raises(AssertionError):
        git(top, "merge", "-q", "other")
    (top / "gone").chmod(0o640)
    (top / "run").chmod(0o700)
    names = {each: git(top, "hash-object", each) for each in ("gone", "kept", "run")}
    with open_revision(top, "HEAD") as revision:
        assert worktree_tracked(revision)(top) == {
            "gone": (0o100644, names["gone"]),
            "kept": (0o100644, names["kept"]),
            "run": (0o100755, names["run"]),
        }
