"""A copy in which a project is built: git answers as in the original, and what is around the project is there."""

import errno
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import LockError
from reconciler.git.version_state import version_state
from reconciler.lock import build_copy
from reconciler.lock.build_copy import copy_for_build
from tests.lock.workbench import git_environment

SCM = '[build-system]\nrequires = ["setuptools", "setuptools-scm"]\n[project]\nname = "own"\ndynamic = ["version"]\n'
STATIC = '[build-system]\nrequires = ["hatchling"]\n[project]\nname = "own"\nversion = "1"\n'
QUESTIONS = (
    ("describe", "--tags", "--long", "--dirty", "--always"),
    ("status", "--porcelain"),
    ("rev-parse", "HEAD"),
    ("rev-parse", "--is-shallow-repository"),
    ("rev-parse", "--show-prefix"),
    ("ls-files",),
    ("log", "--format=%H %D", "-3"),
    ("check-ignore", "out"),
)


def git(directory: Path, *words: str, check: bool = True) -> str:
    plain = ["git", "-c", "protocol.file.allow=always", "-c", "advice.detachedHead=false"]
    done = subprocess.run([*plain, *words], cwd=directory, env=git_environment(), capture_output=True, check=False)
    assert done.returncode == 0 or not check, done.stderr
    return os.fsdecode(done.stdout)


def repository(path: Path, *options: str) -> Path:
    """Make a repository with two commits, a tag on the first, a project in `own`, and an untracked directory `out`."""
    for name, text in {
        "own/pyproject.toml": SCM,
        "own/own.py": "",
        "shared/common.py": "",
        ".gitignore": "out/\n",
    }.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    git(path, "init", "-q", *options)
    git(path, "add", "-A")
    git(path, "commit", "-qm", "one")
    git(path, "tag", "v1.0")
    (path / "own" / "second.py").write_text("")
    git(path, "add", "-A")
    git(path, "commit", "-qm", "two")
    (path / "out").mkdir()
    (path / "out" / "large").write_text("data")
    return path


def plain(path: Path) -> Path:
    return repository(path)


def packed(path: Path) -> Path:
    git(repository(path), "tag", "-a", "-m", "x", "v1.1", "HEAD~1")
    git(path, "pack-refs", "--all")
    git(path, "gc", "-q")
    return path


def sha256(path: Path) -> Path:
    return repository(path, "--object-format=sha256")


def linked(path: Path) -> Path:
    git(repository(path / "main"), "worktree", "add", "-q", str(path / "tree"))
    return path / "tree"


def shallow(path: Path) -> Path:
    repository(path / "origin")
    git(path, "clone", "-q", "--depth=1", f"file://{path / 'origin'}", "clone")
    return path / "clone"


def submodule(path: Path) -> Path:
    repository(path / "lib")
    git(repository(path / "main"), "submodule", "--quiet", "add", str(path / "lib"), "sub")
    git(path / "main", "commit", "-qm", "three")
    return path / "main" / "sub"


def with_submodule(path: Path) -> Path:
    return submodule(path).parent


def with_alternates(path: Path) -> Path:
    repository(path / "origin")
    git(path, "clone", "-q", "--shared", "origin", "clone")
    return path / "clone"


def dirty(path: Path) -> Path:
    (repository(path) / "shared" / "common.py").write_text("x = 1\n")
    (path / "own" / "untracked.py").write_text("")
    return path


def staged(path: Path) -> Path:
    (repository(path) / "shared" / "common.py").write_text("x = 1\n")
    git(path, "add", "-A")
    (path / "own" / "own.py").unlink()
    return path


def sparse(path: Path) -> Path:
    git(repository(path), "sparse-checkout", "set", "own")
    return path


def empty(path: Path) -> Path:
    repository(path)
    git(path, "checkout", "-q", "--orphan", "new")
    return path


def detached_in_an_odd_place(path: Path) -> Path:
    made = repository(path / 'a "b" ü #c')
    git(made, "checkout", "-q", "HEAD~1")
    return made


SHAPES = [
    plain, packed, sha256, linked, shallow, submodule, with_submodule, with_alternates, dirty, staged, sparse, empty,
    detached_in_an_odd_place,
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=lambda each: each.__name__)
def test_git_answers_in_a_copy_as_in_the_original(shape: Callable[[Path], Path], tmp_path: Path) -> None:
    top = shape(tmp_path / "r")
    state = version_state(top / "own", without=None)
    pairs = [(Path("own"), question) for question in QUESTIONS] + [(Path(), question) for question in QUESTIONS]
    answers = [git(top / place, *question, check=False) for place, question in pairs]
    before = contents(top)
    base = tmp_path / "scratch"
    base.mkdir()
    copy = copy_for_build(top / "own", base)
    for (place, question), answer in zip(pairs, answers, strict=True):
        found = git(copy.parent / place, *question, check=False)
        assert found.replace(f"{base}{tmp_path}", str(tmp_path)) == answer, question
    git(copy, "commit", "-q", "--allow-empty", "-m", "a build may do this")
    git(copy, "tag", "-f", "v9.9")
    assert version_state(top / "own", without=None) == state
    assert contents(top) == before, "the original is as it was"


def test_git_answers_in_a_submodule_of_a_copied_project_as_in_the_original(tmp_path: Path) -> None:
    top = with_submodule(tmp_path / "r")
    (top / "pyproject.toml").write_text(SCM)
    git(top, "add", "-A")
    git(top, "commit", "-qm", "four")
    base = tmp_path / "scratch"
    base.mkdir()
    copy = copy_for_build(top, base)
    for question in QUESTIONS:
        assert git(copy / "sub", *question, check=False) == git(top / "sub", *question, check=False), question
    assert git(copy / "sub", "rev-parse", "--show-toplevel").strip() == str(copy / "sub")


def contents(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() if path.is_file() else b"" for path in directory.rglob("*")}


def test_what_is_around_a_project_is_there_at_every_level(tmp_path: Path) -> None:
    for name in ("a/b/own/pyproject.toml", "a/b/shared/x", "a/y", "z", "a/closed/secret"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(STATIC if name.endswith(".toml") else name)
    (tmp_path / "scratch").mkdir()
    copy = copy_for_build(tmp_path / "a/b/own", tmp_path / "scratch")
    for name in ("../shared/x", "../../y", "../../../z"):
        assert (copy / name).read_text() == (tmp_path / "a/b/own" / name).read_text()
    (copy / "written").write_text("by a build")
    (copy.parent / "written").write_text("by a build")
    assert not (tmp_path / "a/b/own/written").exists()
    assert not (tmp_path / "a/b/written").exists()


def test_large_untracked_files_are_links_and_tracked_ones_are_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_copy, "_LINKED_BYTES", 3)
    top = repository(tmp_path / "r")
    (top / "own" / "model.bin").write_bytes(b"large")
    (top / "own" / "small.bin").write_bytes(b"s")
    (tmp_path / "scratch").mkdir()
    copy = copy_for_build(top / "own", tmp_path / "scratch")
    assert (copy / "model.bin").readlink() == top / "own" / "model.bin"
    assert not (copy / "small.bin").is_symlink()
    assert not (copy / "pyproject.toml").is_symlink()
    assert (copy.parent / "out").readlink() == top / "out", "an untracked directory next to the project is a link"


def test_the_state_of_a_version_changes_with_commit_tag_and_edit_and_is_the_same_in_a_clone(tmp_path: Path) -> None:
    top = repository(tmp_path / "r")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(top), str(clone))
    seen = [version_state(top / "own", without=None)]
    assert version_state(clone / "own", without=None) == seen[0]

    def changed() -> bool:
        now = version_state(top / "own", without=None)
        new = now not in seen
        seen.append(now)
        return new

    git(top, "tag", "v2.0")
    assert changed()
    git(top, "pack-refs", "--all")
    assert not changed()
    (top / "shared" / "common.py").write_text("x = 1\n")
    assert changed()
    (top / "shared" / "common.py").write_text("x = 2\n")
    assert not changed(), "a version says only that something was changed"
    (top / "untracked").write_text("")
    assert not changed()
    git(top, "commit", "-qam", "three")
    assert changed()
    git(top, "tag", "-d", "v2.0")
    assert changed()
    os.utime(top / "shared" / "common.py")
    assert not changed()
    assert version_state(tmp_path, without=None) is None


def test_what_the_build_leaves_out_in_the_original_is_not_in_the_copy(tmp_path: Path) -> None:
    """The copy is below a directory whose name is ignored; hatchling then ignores nothing, and would package it."""
    own = tmp_path / "project"
    for name in ("own/__init__.py", "own/a_pb2.py", "own/tracked_pb2.py"):
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_text("")
    (own / "pyproject.toml").write_text(STATIC.replace("[project]", 'build-backend = "hatchling.build"\n[project]'))
    (own / ".gitignore").write_text("scratch/\n*_pb2.py\n")
    git(own, "init", "-q")
    git(own, "add", "-f", "own/tracked_pb2.py", "own/__init__.py", "pyproject.toml", ".gitignore")
    (tmp_path / "scratch").mkdir()
    copy = copy_for_build(own, tmp_path / "scratch")
    assert sorted(each.name for each in (copy / "own").iterdir()) == ["__init__.py", "tracked_pb2.py"]
    assert git(copy, "status", "--porcelain") == git(own, "status", "--porcelain")


def test_git_reads_the_ignore_files_above_a_project_in_the_copy(tmp_path: Path) -> None:
    """Git follows no symbolic link that is named `.gitignore`; poetry-core asks which files git ignores."""
    above = repository(tmp_path / "above")
    (above / ".gitignore").write_text("*_pb2.py\n")
    (above / "own" / "pyproject.toml").write_text(STATIC)
    (above / "own" / "a_pb2.py").write_text("")
    (tmp_path / "scratch").mkdir()
    copy = copy_for_build(above / "own", tmp_path / "scratch")
    asked = ("ls-files", "--others", "-i", "--exclude-standard")
    assert git(copy, *asked) == git(above / "own", *asked) == "a_pb2.py\n"


def test_a_copy_has_the_contents_the_mode_and_the_times_of_the_original(tmp_path: Path) -> None:
    """Build backends write modes and times into wheels, and reuse what is newer than its source."""
    own = tmp_path / "own"
    (own / "data").mkdir(parents=True)
    (own / "pyproject.toml").write_text(STATIC)
    (own / "data/link").symlink_to("../pyproject.toml")
    (own / "run").write_bytes(b"x" * 100_000)
    (own / "run").chmod(0o754)
    (own / "data/read-only").write_text("")
    (own / "data/read-only").chmod(0o444)
    for at, name in enumerate(("pyproject.toml", "data/link", "run", "data/read-only")):
        os.utime(own / name, ns=(10**18 + at, 10**18 + 10 + at), follow_symlinks=False)
    (tmp_path / "scratch").mkdir()
    copy = copy_for_build(own, tmp_path / "scratch")
    for at, (name, mode) in enumerate(
        {"pyproject.toml": 0, "data/link": 0, "run": 0o754, "data/read-only": 0o644}.items()
    ):
        status = (copy / name).lstat()
        assert status.st_mtime_ns == 10**18 + 10 + at
        assert not mode or status.st_mode & 0o777 == mode
        assert (copy / name).read_bytes() == (own / name).read_bytes()
    assert (copy / "data/link").readlink() == Path("../pyproject.toml")


@pytest.mark.parametrize("size", [0, 1, 100_000])
def test_a_file_is_copied_where_the_system_cannot_share_blocks(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> int:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    (tmp_path / "own").mkdir()
    (tmp_path / "own/data").write_bytes(b"x" * size)
    for name, replaced in {"one": fail, "two": None}.items():
        if replaced is None:
            monkeypatch.delattr(os, "copy_file_range")
        else:
            monkeypatch.setattr(os, "copy_file_range", replaced)
        (tmp_path / name).mkdir()
        assert (copy_for_build(tmp_path / "own", tmp_path / name) / "data").read_bytes() == b"x" * size


def test_a_copy_that_cannot_be_written_is_an_error_with_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "own").mkdir()
    (tmp_path / "own/data").write_bytes(b"x")
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(os, "copy_file_range", fail)
    with pytest.raises(OSError, match="No space left on device") as caught:
        copy_for_build(tmp_path / "own", tmp_path / "scratch")
    assert caught.value.filename == f"{tmp_path}/scratch{tmp_path}/own/data"


@pytest.mark.parametrize("missing", [True, False])
def test_a_project_that_cannot_be_found_is_an_error(missing: bool, tmp_path: Path) -> None:
    own = tmp_path / "own"
    if not missing:
        own.symlink_to("own")
    with pytest.raises(LockError, match=f"{own}: "):
        copy_for_build(own, tmp_path)


def test_a_directory_above_a_project_is_linked_unless_it_has_too_many_entries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_copy, "_MOST_NAMES", 3)
    (tmp_path / "a/own").mkdir(parents=True)
    (tmp_path / "scratch").mkdir()
    for number, linked in enumerate((True, True, False)):
        (tmp_path / "a" / f"file{number}").touch()
        base = tmp_path / "scratch" / str(number)
        base.mkdir()
        assert (copy_for_build(tmp_path / "a/own", base).parent / "file0").is_symlink() is linked
