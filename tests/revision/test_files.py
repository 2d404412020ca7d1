"""Files of a git revision, by the paths that they have on disk."""

import hashlib
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
