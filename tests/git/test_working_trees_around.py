"""Which working trees decide by their commits what is in a directory."""

from pathlib import Path

import pytest

from reconciler.git.working_tree import working_trees_around


def repository(top: Path) -> Path:
    """Make what git takes for a repository, as `git init` does."""
    for name in (".git/objects", ".git/refs"):
        (top / name).mkdir(parents=True)
    (top / ".git/HEAD").write_text("ref: refs/heads/main\n")
    return top


def linked(top: Path, git_dir: Path) -> Path:
    """Make a working tree whose git directory is elsewhere."""
    top.mkdir(parents=True)
    for name in ("objects", "refs"):
        (git_dir / name).mkdir(parents=True)
    (git_dir / "HEAD").write_text("ref: refs/heads/other\n")
    (top / ".git").write_text(f"gitdir: {git_dir}\n")
    return top


def around(directory: Path) -> list[str]:
    return list(working_trees_around(str(directory)))


def test_outside_of_a_repository_there_is_none(tmp_path: Path) -> None:
    assert around(tmp_path) == []


@pytest.mark.parametrize("below", ["", "deploy", "a/b/c"])
def test_a_directory_is_in_the_innermost_repository(below: str, tmp_path: Path) -> None:
    outer = repository(tmp_path / "home")  # dotfiles, for example: what is in it does not come from the inner one
    inner = repository(outer / "project")
    (inner / below).mkdir(parents=True, exist_ok=True)
    assert around(inner / below) == [str(inner)]


def test_a_submodule_is_part_of_the_repository_around_it(tmp_path: Path) -> None:
    outer = repository(tmp_path / "outer")
    middle = linked(outer / "libs/middle", outer / ".git/modules/middle")
    inner = linked(middle / "inner", outer / ".git/modules/middle/modules/inner")
    assert around(inner) == [str(inner), str(outer), str(middle)]
    assert around(middle) == [str(middle), str(outer)]


def test_an_additional_working_tree_belongs_to_the_main_one(tmp_path: Path) -> None:
    main = repository(tmp_path / "main")
    git_dir = main / ".git/worktrees/other"
    other = linked(tmp_path / "other", git_dir)
    (git_dir / "commondir").write_text("../..\n")
    assert around(other) == [str(other), str(main)]


@pytest.mark.parametrize("content", ["", "gitdir: /no/such/place\n", "garbage", "gitdir: \0"])
def test_anything_called_git_counts(content: str, tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "below").mkdir(parents=True)
    (top / ".git").write_text(content)
    assert around(top / "below") == [str(top)]
    (top / ".git").unlink()
    (top / ".git").symlink_to("nowhere")
    assert around(top / "below") == [str(top)]
    (top / ".git").unlink()
    (top / ".git").mkdir()
    assert around(top / "below") == [str(top)]
