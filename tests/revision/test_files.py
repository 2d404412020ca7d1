"""Files of a git revision, by the paths that they have on disk."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.manifest.reach import reach_of
from reconciler.manifest.text_file import UnreadableFileError
from reconciler.revision.files import RevisionFiles
from reconciler.revision.git_revision import open_revision
from tests.repository import git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with a link, whose files are deleted from disk."""
    top = tmp_path / "repository"
    (top / "real" / "inner").mkdir(parents=True)
    (top / "real" / "inner" / "file").write_text("one")
    (top / "link").symlink_to("real/inner")
    (top / "broken").symlink_to("none")
    git(top, "init", "-q")
    git(top, "add", "--all")
    git(top, "commit", "-q", "-m", "first")
    for each in ("link", "broken", "real/inner/file"):
        (top / each).unlink()
    return top


def test_links_of_the_revision_are_followed_and_other_paths_stay(repository: Path) -> None:
    outside = repository.parent / "outside"
    outside.mkdir()
    (repository.parent / "to-outside").symlink_to(outside)
    with open_revision(repository, "HEAD") as revision:
        files = RevisionFiles(revision, repository)
        assert {path: files.real(repository / path) for path in ("link", "link/file", "none", "broken", "real")} == {
            "link": repository / "real/inner",
            "link/file": repository / "real/inner/file",
            "none": repository / "none",
            "broken": repository / "broken",
            "real": repository / "real",
        }
        assert files.real(repository.parent / "to-outside") == outside
        assert files.content(repository / "link/file") == b"one"
        assert files.is_directory(repository / "link")
        assert files.is_file(repository / "link/file")
        assert not files.is_file(repository / "link")
        for path, message in (
            ("none", "no such file"),
            ("real", "a directory, not a file"),
            ("broken", "no such file"),
        ):
            with pytest.raises(UnreadableFileError, match=message):
                files.content(repository / path)


def test_the_manifest_may_be_reached_through_a_link(repository: Path) -> None:
    alias = repository.parent / "alias"
    alias.symlink_to(repository)
    with open_revision(alias, "HEAD") as revision:
        assert RevisionFiles(revision, alias).content(alias / "real/inner/file") == b"one"


def test_directories_are_listed_and_locks_are_read_at_the_revision(repository: Path) -> None:
    (repository / "real" / "later").mkdir()
    (repository.parent / "outside").mkdir()
    (repository.parent / "outside" / "uv.lock").write_text("two")
    with open_revision(repository, "HEAD") as revision:
        files = RevisionFiles(revision, repository)
        files.reach = reach_of(repository, ["../outside"])
        assert files.names(repository / "real") == ("inner",)
        assert files.names(repository / "link") == ("file",)
        assert files.names(repository / "none") == ()
        assert files.names(repository.parent / "outside") == ("uv.lock",)
        assert files.lock_sha256(repository / "link" / "file") == hashlib.sha256(b"one").hexdigest()
        assert files.lock_sha256(repository.parent / "outside" / "uv.lock") == hashlib.sha256(b"two").hexdigest()
        with pytest.raises(UnreadableFileError, match="no such file"):
            files.lock_sha256(repository / "none")
        recorded = {each.path.relative_to(repository.parent).as_posix(): each.sha256 for each in files.read_so_far()}
        assert recorded["repository/none"] == ""
        assert recorded["repository/real"] != recorded["repository/link"]


def refused(ask: Callable[[], object]) -> tuple[str, str, bool, bool]:
    """Return message and hint of an error, and whether it says that the file is missing or a directory."""
    with pytest.raises(UnreadableFileError) as caught:
        ask()
    return caught.value.message, caught.value.hint, caught.value.missing, caught.value.is_directory


def test_paths_of_the_repository_are_those_of_the_revision_and_others_those_of_the_disk(repository: Path) -> None:
    near, far = repository.parent / "near", repository.parent / "far"
    for each in (near, far, near / "app"):
        each.mkdir()
        (each / "own.txt").write_text("two")
    git(repository, "checkout", "-q", "--", ".")
    (repository / "large").write_bytes(b" " * (1024 * 1024 + 1))
    (repository / "most").write_bytes(b" " * 1024 * 1024)
    (repository / "out").symlink_to("../near/own.txt")
    git(repository, "add", "--all")
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    git(repository, "commit", "-q", "-m", "second")
    (repository / "real/inner/file").unlink()
    (repository / "module").mkdir(exist_ok=True)
    outside = ("a symbolic link that points out of the repository", "", False, False)
    not_allowed = "outside the repository, and in no directory of `allow_paths`"
    with open_revision(repository, "HEAD") as revision:
        files = RevisionFiles(revision, repository)
        files.reach = reach_of(repository, ["../near"])
        assert files.content(near / "own.txt") == b"two"
        assert len(files.content(repository / "most")) == 1024 * 1024
        assert refused(lambda: files.content(repository / "large")) == ("larger than 1 MiB", "", False, False)
        assert len(files.lock_content(repository / "large")) == 1024 * 1024 + 1
        assert refused(lambda: files.blob(near / "own.txt")) == ("no such file", "", True, False)
        assert refused(lambda: files.blob(repository / "none")) == ("no such file", "", True, False)
        assert refused(lambda: files.blob(repository / "real")) == ("a directory, not a file", "", False, True)
        submodule = ("a submodule, which has its own revisions", "", False, False)
        assert refused(lambda: files.blob(repository / "module")) == submodule
        assert refused(lambda: files.require(repository / "out")) == outside
        assert refused(lambda: files.blob(repository / "out")) == outside
        for path in (near / "own.txt", repository / "none", repository / "real/inner/file"):
            files.require(path)
        hint = 'add `"%s"` to `allow_paths` in the manifest'
        assert refused(lambda: files.require(far / "app")) == (not_allowed, hint % "../far", False, False)
        assert refused(lambda: files.require(far / "app", is_project=True))[1] == hint % "../far/app"
        assert [files.may_quote(each) for each in (repository / "none", repository / "out")] == [True, True]
        assert not files.may_quote(near / "own.txt")
        directories = (
            "real",
            "link",
            "module",
            "real/inner/file",
            "none",
            "out",
            "../near",
            "../near/own.txt",
            "../far",
        )
        found = {each: files.is_directory(repository / each) for each in directories}
        assert [each for each in found if found[each]] == ["real", "link", "module", "../near"]
        assert files.is_directory(far, of_index=True)
        assert not files.is_directory(repository / "real/inner/file", of_index=True)
        names = ("real", "module", "real/inner/file", "link/file", "none", "out", "../near/own.txt", "../far/own.txt")
        assert [each for each in names if files.is_file(repository / each)] == [
            "real/inner/file", "link/file", "../near/own.txt",
        ]  # fmt: skip
        assert files.listing(repository / "module") == files.listing(repository / "large") == []
        assert sorted(files.listing(near)) == ["app", "own.txt"]
        assert files.entry(near) is files.entry(repository / "out") is files.entry(repository / "none") is None
