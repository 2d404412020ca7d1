"""The lines of an editable install are those that pip prints, for every state of its repository."""

from pathlib import Path

import pytest

from reconciler.observe.editable import editable_lines

COMMIT = "1" * 40
UNKNOWN = "## !! Could not determine repository location"


def repository(
    top: Path, config: str = '[remote "origin"]\nurl = https://git.example/a.git\n', head: str = COMMIT
) -> Path:
    """Make the files of a git directory in `top/.git`; return `top`."""
    for name in ("objects", "refs"):
        (top / ".git" / name).mkdir(parents=True)
    (top / ".git/HEAD").write_text(head)
    (top / ".git/config").write_text(config)
    return top


def lines(location: Path, name: str = "acme") -> list[str]:
    return editable_lines(str(location), name, f"{name}==1.0")


def test_a_project_at_the_top_of_its_repository(tmp_path: Path) -> None:
    (repository(tmp_path) / "pyproject.toml").touch()
    assert lines(tmp_path, "my-acme") == [f"-e git+https://git.example/a.git@{COMMIT}#egg=my_acme"]
    assert lines(tmp_path / "x" / "..", "my-acme") == lines(tmp_path, "my-acme")


@pytest.mark.parametrize("file", ["pyproject.toml", "setup.py"])
def test_a_project_in_a_subdirectory_and_its_modules_below(tmp_path: Path, file: str) -> None:
    source = repository(tmp_path) / "libs/acme/src"
    source.mkdir(parents=True)
    (source.parent / file).touch()
    line = f"-e git+https://git.example/a.git@{COMMIT}#egg=acme&subdirectory=libs/acme"
    assert lines(source) == lines(source.parent) == [line]


def test_the_subdirectory_of_a_linked_working_tree_starts_at_the_parent_of_its_git_directory(tmp_path: Path) -> None:
    repository(tmp_path / "main")
    own = tmp_path / "main/.git/worktrees/tree"
    own.mkdir(parents=True)
    (own / "HEAD").write_text(COMMIT)
    (own / "commondir").write_text("../..\n")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {own}\n")
    (tree / "setup.py").touch()
    assert lines(tree) == [f"-e git+https://git.example/a.git@{COMMIT}#egg=acme&subdirectory=../../../tree"]


def test_a_project_without_version_control(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    assert lines(project) == ["# Editable install with no version control (acme==1.0)", f"-e {project}"]


def test_a_git_file_that_points_to_nothing(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /none\n")
    assert lines(tmp_path) == [UNKNOWN, f"-e {tmp_path}"]


def test_a_git_directory_that_is_incomplete_has_no_remote(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert lines(tmp_path) == ["# Editable Git install with no remote (acme==1.0)", f"-e {tmp_path}"]


def test_a_repository_without_a_commit_is_unknown(tmp_path: Path) -> None:
    repository(tmp_path, head="ref: refs/heads/main\n")
    assert lines(tmp_path) == [UNKNOWN, f"-e {tmp_path}"]


@pytest.mark.parametrize("config", ["", '[remote "origin"]\nurl =\n', '[remote "origin"]\nfetch = x\n'])
def test_a_repository_without_a_remote(tmp_path: Path, config: str) -> None:
    found = lines(repository(tmp_path, config))
    assert found[-1] == f"-e {tmp_path}"
    assert len(found) == 2 or "invalid URI" in found[0]
    assert found[0].startswith("# Editable Git install")


@pytest.mark.parametrize(
    ("url", "requirement"),
    [
        ("git@git.example:acme/a.git", "git+ssh://git@git.example/acme/a.git"),
        ("git.example:a.git", "git+ssh://git.example/a.git"),
        ("ssh://git@git.example/a.git", "git+ssh://git@git.example/a.git"),
        ("https://user:secret@git.example/a.git", "git+https://****@git.example/a.git"),
        ("https://git.example/a.git more", "git+https://git.example/a.git"),
        ("/", "git+file:///"),
    ],
)
def test_the_remote_is_a_url_that_pip_accepts(tmp_path: Path, url: str, requirement: str) -> None:
    repository(tmp_path, f'[remote "other"]\nurl = https://other.example/a.git\n[remote "origin"]\nurl = {url}\n')
    assert lines(tmp_path) == [f"-e {requirement}@{COMMIT}#egg=acme"]


def test_without_origin_the_first_remote_counts(tmp_path: Path) -> None:
    config = '[remote "b"]\nurl = https://b.example/a.git\n[remote "a"]\nurl = https://a.example/a.git\n'
    assert lines(repository(tmp_path, config)) == [f"-e git+https://b.example/a.git@{COMMIT}#egg=acme"]


@pytest.mark.parametrize("url", ["/nowhere/a.git", "../a.git", ":a"])
def test_a_remote_that_pip_cannot_use_is_a_comment(tmp_path: Path, url: str) -> None:
    reason = "# Editable Git install (acme==1.0) with either a deleted local remote or invalid URI:"
    assert lines(repository(tmp_path, f'[remote "origin"]\nurl = {url}\n')) == [reason, f"# '{url}'", f"-e {tmp_path}"]


def test_the_innermost_repository_counts(tmp_path: Path) -> None:
    (tmp_path / ".hg").mkdir()
    inner = tmp_path / "inner"
    (inner / "below").mkdir(parents=True)
    assert lines(inner / "below") == [UNKNOWN, f"-e {inner / 'below'}"]
    repository(inner)
    line = f"-e git+https://git.example/a.git@{COMMIT}#egg=acme"
    assert lines(inner / "below") == lines(inner) == [line]
    (inner / "below/.hg").mkdir()
    assert lines(inner / "below") == [UNKNOWN, f"-e {inner / 'below'}"]
    (inner / ".hg").mkdir()
    assert lines(inner) == [UNKNOWN, f"-e {inner}"]


def test_files_of_subversion_count_only_in_the_project_itself(tmp_path: Path) -> None:
    (tmp_path / ".svn").mkdir()
    inner = tmp_path / "inner"
    inner.mkdir()
    assert lines(inner)[0].startswith("# Editable install with no version control")
