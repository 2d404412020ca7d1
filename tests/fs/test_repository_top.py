"""The top of the repository around a directory: the nearest one with anything called `.git`."""

import os
from pathlib import Path

import pytest

from reconciler.fs.repository_top import repository_of, repository_top


@pytest.mark.parametrize("kind", ["directory", "file", "link to a directory", "link to a missing file", "named pipe"])
@pytest.mark.parametrize("below", ["", "a", "a/b/c"])
def test_anything_called_git_counts(kind: str, below: str, tmp_path: Path) -> None:
    outer, top = tmp_path / "outer", tmp_path / "outer/repository"
    (top / below).mkdir(parents=True)
    (outer / ".git").mkdir()
    git = top / ".git"
    match kind:
        case "directory":
            git.mkdir()
        case "file":
            git.write_text("gitdir: elsewhere\n")
        case "link to a directory":
            git.symlink_to(outer)
        case "link to a missing file":
            git.symlink_to("missing")
        case _:
            os.mkfifo(git)
    assert repository_of(top / below) == top
    assert repository_top(str(top / below)) == str(top)
    assert repository_of(outer) == outer


def test_a_directory_need_not_exist_and_may_have_no_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert repository_of(tmp_path / "missing/too") == tmp_path
    (tmp_path / ".git").rmdir()
    assert repository_of(tmp_path / "missing") is None
    assert repository_top("/") is None
