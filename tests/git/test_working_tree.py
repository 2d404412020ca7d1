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


CONFIGS = {
    "several": ('[remote "b"]\n\turl = one\n\tfetch = x\n[Remote "a"]\nURL=two\n', [("b", "one"), ("a", "two")]),
    "one line": ('[remote "a"] url = one\n', [("a", "one")]),
    "old section": ("[remote.a]\nurl = one\n", [("a", "one")]),
    "no name": ("[remote]\nurl = one\n", [("", "one")]),
    "other section": ('url = none\n[core]\nurl = none\n[branch "remote"]\nurl = none\n', []),
    "other key": ('[remote "a"]\npushurl = none\nurl\n', []),
    "escaped name": ('[remote "a\\"b\\\\c"]\nurl = one\n', [('a"b\\c', "one")]),
    "comments": (
        '# [remote "x"]\n[remote "a"]\n; url = x\nurl = one # two\nurl = three;four\n',
        [("a", "one"), ("a", "three")],
    ),
    "blanks": ('[remote "a"]\n url  =  one  two \t \n', [("a", "one  two")]),
    "quotes": ('[remote "a"]\nurl = " one; #" two "  "  \n', [("a", " one; # two   ")]),
    "quotes inside": ('[remote "a"]\nurl = on"e#"x\n', [("a", "one#x")]),
    "empty quotes": ('[remote "a"]\nurl = one  ""  \n', [("a", "one  ")]),
    "escapes": ('[remote "a"]\nurl = "one\\"\\\\\\ttwo\\n"\n', [("a", 'one"\\\ttwo\n')]),
    "escaped at the end": ('[remote "a"]\nurl = one\\t\n', [("a", "one\t")]),
    "next line": ('[remote "a"]\nurl = one\\\n  two\nurl = three\n', [("a", "one  two"), ("a", "three")]),
    "next line of windows": ('[remote "a"]\r\nurl = one\\\r\ntwo\r\n', [("a", "onetwo")]),
    "comment with a backslash": ('[remote "a"]\n# text\\\nurl = one\n', [("a", "one")]),
    "escaped backslash at the end": ('[remote "a"]\nurl = one\\\\\nurl = two\n', [("a", "one\\"), ("a", "two")]),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_the_remotes_are_those_that_git_reads(top: Path, name: str) -> None:
    config, remotes = CONFIGS[name]
    (top / ".git/config").write_bytes(config.encode())
    found = find_repository(str(top))
    assert found is not None
    assert found.remotes() == remotes


def test_a_repository_without_a_config_has_no_remotes(top: Path) -> None:
    found = find_repository(str(top))
    assert found is not None
    assert found.remotes() == []


@pytest.mark.parametrize("end", ["one\\", '"one\\\n#\\'], ids=["of the file", "of a value"])
def test_a_backslash_at_the_end_is_not_an_error(top: Path, end: str) -> None:
    """Git refuses such a file."""
    (top / ".git/config").write_text(f'[remote "a"]\nurl = two\nurl = {end}')
    found = find_repository(str(top))
    assert found is not None
    assert found.remotes()[0] == ("a", "two")


def test_tags_are_read_from_their_files_and_from_packed_refs(top: Path) -> None:
    (top / ".git/packed-refs").write_text(
        f"# pack-refs with: peeled\n{ONE} refs/heads/main\n{ONE} refs/tags/v1\n^{TWO}\n"
        f"{ONE} refs/tags/v2\nbad refs/tags/v3\n"
    )
    found = find_repository(str(top))
    assert found is not None
    assert found.tags() == {"refs/tags/v1": ONE, "refs/tags/v2": ONE}
    (top / ".git/refs/tags/release").mkdir(parents=True)
    (top / ".git/refs/tags/v2").write_text(f"{TWO}\n")
    (top / ".git/refs/tags/release/3").write_text(f"{TWO}\n")
    (top / ".git/refs/tags/unreadable").symlink_to("none")
    assert found.tags() == {"refs/tags/v1": ONE, "refs/tags/v2": TWO, "refs/tags/release/3": TWO}


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


def test_packed_refs_of_a_large_repository_are_read(top: Path) -> None:
    with (top / ".git/packed-refs").open("w") as file:
        file.write(f"{ONE} refs/heads/main\n")
        file.truncate(40 * 1024**2)
    assert commit_of(top) == ONE


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
    assert getattr(find_repository(f"{below}/../x/../b"), "top", None) == str(top)
    for name in ("objects", "refs"):
        (top / ".git" / name).rename(top / name)
        assert find_repository(str(below)) is None
        (top / name).rename(top / ".git" / name)
    (top / ".git/HEAD").write_text("damaged")
    assert find_repository(str(below)) is None


@pytest.mark.parametrize("text", ["", "gitdir: none\n", "elsewhere: .git\n", "gitdir: \0\n", "repository\n"])
def test_a_file_that_points_to_no_git_directory_does_not_make_a_repository(tmp_path: Path, text: str) -> None:
    (tmp_path / ".git").write_text(text)
    for name in ("objects", "refs"):
        (tmp_path / "repository" / name).mkdir(parents=True)
    (tmp_path / "repository/HEAD").write_text("ref: refs/heads/main\n")
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
