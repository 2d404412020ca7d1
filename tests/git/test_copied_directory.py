"""The `.git` of a copy has the small files of the original, its objects by their path, and settings of its own."""

from pathlib import Path

import pytest

from reconciler.git.copied_directory import copy_git_directory
from reconciler.git.working_tree import Repository, find_repository
from tests.repository import git


def original(directory: Path) -> Path:
    """Return a repository with one committed file and a tag."""
    git(directory.parent, "init", "-q", "-b", "main", str(directory))
    (directory / "file").write_text("one")
    git(directory, "add", "--all")
    git(directory, "commit", "-q", "-m", "first")
    git(directory, "tag", "v1")
    return directory


def copied(directory: Path, top: Path, *linked: str) -> Path:
    """Return the `.git` of a new copy at `top`."""
    repository = find_repository(str(directory))
    assert isinstance(repository, Repository)
    top.mkdir()
    copy_git_directory(repository, top, linked=linked)
    return top / ".git"


@pytest.mark.parametrize("name", ["plain", 'a "b" \\c', "new\nline"])
def test_git_answers_in_the_copy_as_in_the_original(name: str, tmp_path: Path) -> None:
    repository = original(tmp_path / name)
    top = tmp_path / f"copy of {name}"
    copied(repository, top)
    (top / "file").write_text("two")
    assert git(top, "describe", "--tags", "--dirty").strip() == "v1-dirty"
    assert git(top, "rev-parse", "HEAD") == git(repository, "rev-parse", "HEAD")
    assert git(top, "rev-parse", "--show-toplevel").removesuffix("\n") == str(top)


def test_the_settings_of_the_copy_count_for_more_than_those_of_the_original(tmp_path: Path) -> None:
    repository = original(tmp_path / "original")
    for words in (("core.hooksPath", "/theirs"), ("core.fsmonitor", "/theirs"), ("extensions.worktreeConfig", "true")):
        git(repository, "config", *words)
    assert not (copied(repository, tmp_path / "one") / "config.worktree").exists()
    git(repository, "config", "--worktree", "core.hooksPath", "/theirs")
    for name in ("config", "config.worktree"):
        assert 'worktree = "' in (copied(repository, tmp_path / f"with {name}") / name).read_text()
    assert git(tmp_path / "with config", "config", "core.hooksPath").strip() == "/dev/null"
    assert git(tmp_path / "with config", "config", "core.fsmonitor").strip() == "false"


def test_a_linked_directory_is_ignored_by_its_exact_name(tmp_path: Path) -> None:
    repository = original(tmp_path / "original")
    (repository / ".git/info/exclude").write_text("*.log")
    names = ["data", "a*b", "d/e f", "!x", "#y", "[z]", "q?", "b\\c", "end "]
    made = copied(repository, tmp_path / "copy", *names, "new\nline")
    assert (made / "objects/info/alternates").read_text() == f"{repository}/.git/objects\n"
    lines = ["*.log", "/data", r"/a\*b", r"/d/e\ f", r"/\!x", r"/\#y", r"/\[z]", r"/q\?", r"/b\\c", "/end\\ ", ""]
    assert (made / "info/exclude").read_text().replace("\n\n", "\n").split("\n") == lines
    top = tmp_path / "copy"
    (top / "file").write_text("one")
    for name in names:
        (top / name).parent.mkdir(exist_ok=True)
        (top / name).symlink_to("/none")
    (top / "a-b").symlink_to("/none")
    assert git(top, "status", "--porcelain", "-z").split("\0") == ["?? a-b", ""]


def test_a_linked_working_tree_has_its_own_head_and_the_refs_of_all(tmp_path: Path) -> None:
    repository = original(tmp_path / "original")
    tree = tmp_path / "tree"
    git(repository, "worktree", "add", "-q", "-b", "other", str(tree))
    git(tree, "commit", "-q", "--allow-empty", "-m", "second")
    git(tree, "update-ref", "refs/worktree/own", "HEAD")
    (repository / ".git/refs/heads/x.lock").write_text("unfinished")
    made = copied(tree, tmp_path / "copy")
    top = tmp_path / "copy"
    assert git(top, "rev-parse", "HEAD", "refs/worktree/own").split() == [git(tree, "rev-parse", "HEAD").strip()] * 2
    assert git(top, "rev-parse", "main") == git(repository, "rev-parse", "main")
    assert not (made / "refs/heads/x.lock").exists()


def test_an_old_repository_with_a_link_as_its_head_and_packed_refs_only(tmp_path: Path) -> None:
    repository = original(tmp_path / "original")
    git(repository, "pack-refs", "--all")
    (repository / ".git/HEAD").unlink()
    (repository / ".git/HEAD").symlink_to("refs/heads/main")
    (repository / ".git/refs/heads/main").write_text(git(repository, "rev-parse", "v1"))
    made = copied(repository, tmp_path / "copy")
    assert (made / "HEAD").read_text() == "ref: refs/heads/main\n"
    assert git(tmp_path / "copy", "symbolic-ref", "HEAD").strip() == "refs/heads/main"


def test_the_directory_of_refs_exists_even_if_the_original_has_none(tmp_path: Path) -> None:
    for name in ("objects", "reftable"):
        (tmp_path / "git" / name).mkdir(parents=True)
    (tmp_path / "git/reftable/tables.list").write_text("")
    (tmp_path / "top").mkdir()
    directory = str(tmp_path / "git")
    copy_git_directory(
        Repository(top=str(tmp_path), git_dir=directory, common_dir=directory, linked=False), tmp_path / "top"
    )
    assert (tmp_path / "top/.git/refs").is_dir()
    assert (tmp_path / "top/.git/reftable/tables.list").is_file()


def test_the_copy_of_a_split_index_is_whole_and_git_can_write_into_the_copy(tmp_path: Path) -> None:
    repository = original(tmp_path / "original")
    git(repository, "update-index", "--split-index")
    copied(repository, tmp_path / "copy")
    top = tmp_path / "copy"
    (top / "file").write_text("two")
    assert git(top, "status", "--porcelain") == "M file"
    git(top, "commit", "-q", "-a", "-m", "second")
    git(top, "repack", "-q", "-d")
    assert git(top, "rev-parse", "HEAD^") == git(repository, "rev-parse", "HEAD")
    assert git(top, "show", "HEAD:file") == "two"
    assert git(repository, "status", "--porcelain") == ""
