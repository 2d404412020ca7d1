"""The commit and the remotes of a working tree are read from git's files, and nothing else is taken for them."""

from pathlib import Path

import pytest

from reconciler.git.working_tree import find_repository
from tests.repository import git

ONE, TWO = "1" * 40, "2" * 40


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """Return a directory with the git directory of a repository, as a minimum."""
    for name in ("objects", "refs/heads"):
        (tmp_path / ".git" / name).mkdir(parents=True)
    (tmp_path / ".git/HEAD").write_text("ref: refs/heads/main\n")
    return tmp_path


def commit_of(top: Path, **files: str) -> str | None:
    """Return the commit after some files of the git directory were written; `__` in a name means `/`."""
    for name, text in files.items():
        (top / ".git" / name.replace("__", "/").replace("packed_refs", "packed-refs")).write_text(text)
    found = find_repository(str(top))
    assert found is not None
    assert (found.top, found.linked) == (str(top), False)
    return found.commit()


PACKED = f"# pack-refs with: peeled\n{ONE} refs/heads/main\n^{TWO}\n{TWO} refs/heads/other\n"


@pytest.mark.parametrize(
    ("files", "commit"),
    [
        ({}, None),
        ({"HEAD": f"{ONE}\n"}, ONE),
        ({"HEAD": "a" * 64}, "a" * 64),
        ({"refs__heads__main": f"{ONE}\n"}, ONE),
        ({"packed_refs": PACKED}, ONE),
        ({"packed_refs": PACKED, "refs__heads__main": f"{TWO}\n"}, TWO),
        ({"packed_refs": PACKED, "refs__heads__main": "ref: refs/heads/other\n"}, TWO),
        ({"packed_refs": PACKED, "refs__heads__main": "refs/heads/other\n"}, None),
        ({"packed_refs": PACKED, "refs__heads__main": "damaged\n"}, None),
        ({"refs__heads__main": "ref: refs/heads/main\n"}, None),
        ({"HEAD": "ref: ../secret\n", "secret": ONE}, None),
        ({"HEAD": "ref: refs/../secret\n", "secret": ONE}, None),
        ({"HEAD": "ref: refs/heads/x y\n", "packed_refs": PACKED}, None),
    ],
)
def test_the_commit_is_that_of_head(top: Path, files: dict[str, str], commit: str | None) -> None:
    assert commit_of(top, **files) == commit


def test_a_chain_of_refs_is_followed_as_far_as_git_follows_it(top: Path) -> None:
    for number in range(3):
        (top / f".git/refs/heads/{number}").write_text(f"ref: refs/heads/{number + 1}\n")
    (top / ".git/refs/heads/3").write_text(ONE)
    assert commit_of(top, HEAD="ref: refs/heads/0\n") == ONE
    assert commit_of(top, HEAD="ref: refs/heads/main\n", refs__heads__main="ref: refs/heads/0\n") is None


def test_head_may_be_a_symbolic_link(top: Path) -> None:
    (top / ".git/HEAD").unlink()
    (top / ".git/HEAD").symlink_to("refs/heads/main")
    assert commit_of(top, refs__heads__main=ONE) == ONE


def test_a_repository_is_found_from_below_and_only_a_complete_one(top: Path) -> None:
    below = top / "a" / "b"
    below.mkdir(parents=True)
    assert getattr(find_repository(str(below)), "top", None) == str(top)
    assert find_repository(str(top / "none")) is None
    assert find_repository(str(top / ".git")) is None
    for name in ("objects", "refs"):
        (top / ".git" / name).rename(top / name)
        assert find_repository(str(below)) is None
        (top / name).rename(top / ".git" / name)
    (top / ".git/HEAD").write_text("damaged")
    assert find_repository(str(below)) is None


@pytest.mark.parametrize("text", ["", "gitdir: none\n", "elsewhere: .git\n", "gitdir: \0\n"])
def test_a_file_that_points_to_no_git_directory_does_not_make_a_repository(tmp_path: Path, text: str) -> None:
    (tmp_path / ".git").write_text(text)
    assert find_repository(str(tmp_path)) is None


def test_a_linked_working_tree_has_its_own_commit_and_the_remotes_of_all(tmp_path: Path) -> None:
    main, other = tmp_path / "main", tmp_path / "other"
    git(tmp_path, "init", "-q", str(main))
    (main / "file").write_text("one")
    git(main, "add", "--all")
    git(main, "commit", "-q", "-m", "first")
    git(main, "remote", "add", "origin", "https://git.example/acme.git")
    git(main, "worktree", "add", "-q", "-b", "other", str(other))
    (other / "file").write_text("two")
    git(other, "commit", "-q", "-a", "-m", "second")
    found = {each.name: find_repository(str(each)) for each in (main, other)}
    assert {name: (each.linked, each.remotes()) for name, each in found.items() if each} == {
        "main": (False, [("origin", "https://git.example/acme.git")]),
        "other": (True, [("origin", "https://git.example/acme.git")]),
    }
    assert [each.commit() for each in found.values() if each] == [
        git(directory, "rev-parse", "HEAD").strip() for directory in (main, other)
    ]
