"""A revision is found by every kind of name, and its paths lead through its links and never out of the repository."""

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.errors import RevisionError
from reconciler.manifest.text_file import UnreadableFileError
from reconciler.revision.git_revision import Entry, Revision, open_revision
from tests.repository import git

LINKS = {
    "up": "dir/inner",
    "dir/back": "../file",
    "dots": "./dir//../file",
    "out": "../outside",
    "deep": "dir/inner/../../../file",
    "absolute": "/etc",
    "loop": "loop",
    "link-1": "file",
    **{f"link-{number}": f"link-{number - 1}" for number in range(2, 42)},
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with two commits, links, a submodule and tags."""
    top = tmp_path_factory.mktemp("top") / "repository"
    (top / "dir/inner").mkdir(parents=True)
    for name in ("file", "dir/inner/x", "dir/run"):
        (top / name).write_text(name)
    (top / "dir/run").chmod(0o755)
    for name, target in LINKS.items():
        (top / name).symlink_to(target)
    git(top, "init", "-q", "-b", "main")
    git(top, "add", "--all")
    git(top, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},dir/module")
    git(top, "commit", "-q", "-m", "first")
    git(top, "commit", "-q", "--allow-empty", "-m", "second")
    git(top, "tag", "-a", "-m", "x", "v1", "HEAD~1")
    git(top, "tag", "-a", "-m", "x", "of-a-file", "HEAD:file")
    git(top, "tag", "-a", "-m", "x", "of-a-tag", "of-a-file")
    return top


@pytest.fixture
def revision(repository: Path) -> Iterator[Revision]:
    with open_revision(repository, "HEAD") as found:
        yield found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("", ""),
        (".", ""),
        ("file", "file"),
        ("dir//inner/./x", "dir/inner/x"),
        ("dir/inner/..", "dir"),
        ("dir/../file", "file"),
        ("none", None),
        ("file/x", None),
        ("dir/none/../x", None),
        ("up", "dir/inner"),
        ("up/x", "dir/inner/x"),
        ("up/../run", "dir/run"),
        ("dir/back", "file"),
        ("dots", "file"),
        ("dir/module", "dir/module"),
        ("dir/module/..", "dir"),
        ("link-40", "file"),
    ],
)
def test_a_path_leads_through_the_links_of_the_revision(path: str, found: str | None, revision: Revision) -> None:
    entry = revision.find(path)
    assert (entry and entry.path) == found


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("..", "a symbolic link that points out of the repository"),
        ("out", "a symbolic link that points out of the repository"),
        ("deep", "a symbolic link that points out of the repository"),
        ("absolute", "a symbolic link that points out of the repository"),
        ("dir/module/x", "inside a submodule, which has its own revisions"),
        ("link-41", "too many symbolic links"),
        ("loop", "too many symbolic links"),
    ],
)
def test_a_path_outside_the_revision_is_refused(path: str, message: str, revision: Revision) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        revision.find(path)
    assert (caught.value.message, caught.value.hint) == (message, "")


def test_the_files_below_a_directory_have_their_modes_and_objects(revision: Revision, repository: Path) -> None:
    found = revision.find("dir")
    assert found is not None
    listed = {path: (mode, name) for path, mode, name in revision.files_below(found)}
    objects = {each: git(repository, "rev-parse", f"HEAD:dir/{each}").strip() for each in ("back", "inner/x", "run")}
    assert listed == {
        "back": (stat.S_IFLNK, objects["back"]),
        "inner/x": (0o100644, objects["inner/x"]),
        "module": (0o160000, "1" * 40),
        "run": (0o100755, objects["run"]),
    }
    run = revision.find("dir/run")
    assert run is not None
    assert (run.mode, revision.content(run.id)) == (0o100755, b"dir/run")


@pytest.mark.parametrize("name", ["HEAD~1", "main~1", "v1", "refs/tags/v1", "HEAD^"])
def test_a_revision_has_many_names(name: str, repository: Path) -> None:
    with open_revision(repository / "dir", name) as found:
        tree = git(repository, "rev-parse", "HEAD~1^{tree}").strip()
        assert (found.name, found.repository) == (name, Path(os.path.realpath(repository)))
        assert found.top == Entry(path="", mode=stat.S_IFDIR, id=tree.encode())  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["of-a-file", "of-a-tag", "HEAD:file", "HEAD:dir"])
def test_a_file_or_directory_is_not_a_revision(name: str, repository: Path) -> None:
    with pytest.raises(RevisionError) as caught, open_revision(repository, name):
        pass
    assert caught.value.message == f"`{name}` is not a commit"
    assert caught.value.hint == "use a branch, a tag or a commit"


def test_without_a_repository_nothing_is_found(tmp_path: Path) -> None:
    with pytest.raises(RevisionError) as caught, open_revision(tmp_path, "HEAD"):
        pass
    assert caught.value.message == f"{tmp_path}: not in a git repository"
    assert caught.value.hint == "use `--against` with a manifest in a git repository"


def test_an_object_that_is_missing_or_no_tree_is_an_error(revision: Revision) -> None:
    file = revision.find("file")
    assert file is not None
    missing = replace(revision, top=replace(revision.top, id=b"0" * 40))  # type: ignore[arg-type]
    with pytest.raises(RevisionError) as caught:
        missing.find("file")
    assert caught.value.message == f"`HEAD` could not be read: the repository lacks the object `{'0' * 40}`"
    assert caught.value.hint == "use a complete clone: one made with `--filter` lacks the files of other revisions"
    with pytest.raises(RevisionError, match="is not a tree"):
        replace(revision, top=replace(revision.top, id=file.id)).find("file")


def test_the_name_of_the_object_of_a_tag_is_a_revision(repository: Path) -> None:
    for name in (git(repository, "rev-parse", "v1"), "v1~0"):
        with open_revision(repository, name) as found:
            assert found.find("file") is not None


def test_a_revision_that_does_not_exist_is_an_error(repository: Path) -> None:
    with pytest.raises(RevisionError) as caught, open_revision(repository, "other"):
        pass
    assert caught.value.message == f"revision `other` not found in `{repository}`"
    assert caught.value.hint == (
        "correct the name, or fetch the revision; CI checks out a single commit by default (for actions/checkout set "
        "`fetch-depth: 0`)"
    )


def test_a_repository_of_an_unknown_format_is_an_error(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".git/config").write_text("[core]\n\trepositoryformatversion = 99\n")
    with pytest.raises(RevisionError) as caught, open_revision(tmp_path, "HEAD"):
        pass
    assert caught.value.message.startswith(f"the git repository `{tmp_path}` could not be read: ")
    assert caught.value.hint == "run `git fsck` to find the problem"
