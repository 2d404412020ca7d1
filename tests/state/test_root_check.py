"""A root is safe if it belongs to this user or the superuser, no other user may write to it, and git tracks no file."""

import os
from pathlib import Path

import pytest

from reconciler.fs.user_key import key_path, make_user_key
from reconciler.state import root_check
from reconciler.state.root_check import is_safe, is_untracked, tracked_in, writers_of
from tests.git.test_index_file import Repository
from tests.state.edited import make_root
from tests.unprivileged import reachable_directory, unprivileged

SUPERUSER_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may give files away")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    made.mkdir(0o755)
    (made / ".envsync").mkdir(0o755)
    (made / ".envsync/root.json").touch(0o644)
    return made


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


# Who may write


@pytest.mark.parametrize("place", [".", ".envsync"])
@pytest.mark.parametrize(
    ("mode", "safe"),
    [(0o755, True), (0o700, True), (0o711, True), (0o1755, True), (0o775, False), (0o757, False), (0o1777, False)],
)
def test_only_the_owner_may_write(place: str, mode: int, safe: bool, root: Path) -> None:
    assert is_safe(str(root))
    (root / place).chmod(mode)
    assert is_safe(str(root)) is safe


@SUPERUSER_ONLY
@pytest.mark.parametrize("place", [".", ".envsync"])
def test_a_different_owner_is_not_safe(place: str, root: Path) -> None:
    os.chown(root / place, 65534, -1)
    assert not is_safe(str(root))


@SUPERUSER_ONLY
def test_a_root_of_the_superuser_is_safe_for_everybody_and_one_of_ones_own_too() -> None:
    with reachable_directory() as directory:
        (directory / "root/.envsync").mkdir(parents=True)
        (directory / "root/.envsync/root.json").touch()
        root = str(directory / "root")
        with unprivileged():
            assert is_safe(root)
        os.chown(root, 65534, -1)
        with unprivileged():
            assert is_safe(root)
        os.chown(f"{root}/.envsync", 65534, -1)
        with unprivileged():
            assert is_safe(root)
        os.chown(root, 65533, -1)
        with unprivileged():
            assert not is_safe(root)


def test_a_root_without_a_directory_of_envsync_is_not_safe(root: Path) -> None:
    (root / ".envsync/root.json").unlink()
    assert not is_safe(str(root)), "nor without its mark"
    assert writers_of(str(root)) == []
    (root / ".envsync").rmdir()
    assert not is_safe(str(root))
    assert writers_of(str(root)) == []
    (root / ".envsync").touch(0o644)
    assert not is_safe(str(root))
    (root / ".envsync").unlink()
    (root / "other").mkdir()
    (root / ".envsync").symlink_to("other")
    assert not is_safe(str(root))
    assert not is_safe(str(root / "nowhere"))
    assert writers_of(str(root / "nowhere")) == []


def test_who_may_write_is_the_owner_the_group_and_the_mode_of_each(root: Path) -> None:
    three = (root, root / ".envsync", root / ".envsync/root.json")
    expected = [[each.lstat().st_uid, each.lstat().st_gid, each.lstat().st_mode] for each in three]
    assert writers_of(str(root)) == expected
    (root.parent / "link").symlink_to(root)
    assert writers_of(str(root.parent / "link")) == expected, "the root itself may be reached through a link"
    (root / ".envsync").chmod(0o775)
    assert writers_of(str(root)) != expected


# What git tracks


def test_files_of_envsync_that_git_tracks_are_found(repository: Repository) -> None:
    root = repository.path / "app/.envs"
    make_root(root)
    assert is_safe(str(root))
    repository.git("add", "-A")
    assert tracked_in(str(root)) == "app/.envs/.envsync/root.json"
    assert not is_untracked(str(root))
    assert not is_safe(str(root))
    repository.git("rm", "-qr", "--cached", "app/.envs")
    assert tracked_in(str(root)) == ""
    assert is_safe(str(root))


def test_a_root_that_is_the_top_of_a_repository_has_files_of_the_user(repository: Repository) -> None:
    root = repository.path
    repository.write("envs.yaml", "src/own.py", "envsync", ".envsync.toml", "deep/.envsync/file")
    repository.commit()
    make_root(root)
    (root / "web").symlink_to(".envsync/generations/web/1/venv")
    assert tracked_in(str(root)) == ""
    assert is_safe(str(root))
    repository.git("add", "web")
    assert tracked_in(str(root)) == "web"
    repository.git("rm", "-q", "--cached", "web")
    repository.git("add", "-A")
    assert tracked_in(str(root)) == ".envsync/root.json"
    assert not is_safe(str(root))


def test_other_links_and_files_may_be_tracked(repository: Repository) -> None:
    root = repository.path / "app"
    make_root(root)
    for number, target in enumerate(("envs.yaml", "../.envsync/x", ".envsyncs/x", ".envsync", "/.envsync/x")):
        (root / f"link{number}").symlink_to(target)
    (root / "directory").mkdir()
    (root / "directory/link").symlink_to(".envsync/generations/web/1/venv")
    (root / "gone").touch()
    repository.git("add", "app/directory", "app/gone", *(f"app/link{number}" for number in range(5)))
    (root / "gone").unlink()
    assert tracked_in(str(root)) == ""
    assert is_safe(str(root))


def test_a_root_that_is_itself_tracked_is_found(repository: Repository, tmp_path: Path) -> None:
    make_root(tmp_path / "elsewhere")
    (repository.path / ".envs").symlink_to(tmp_path / "elsewhere")
    assert is_safe(str(repository.path / ".envs"))
    repository.git("add", ".envs")
    assert tracked_in(str(repository.path / ".envs")) == ".envs"
    assert not is_safe(str(repository.path / ".envs"))
    assert is_safe(str(tmp_path / "elsewhere"))


def test_a_key_that_git_tracks_makes_every_root_unsafe(
    repository: Repository, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(repository.path / "dotfiles"))
    make_user_key()
    assert is_untracked(str(root))
    repository.git("add", "-A")
    assert key_path() == str(repository.path / "dotfiles/envsync/key")
    assert not is_untracked(str(root))
    assert not is_safe(str(root))


def test_the_cheap_questions_come_first(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root_check, "tracked_in", lambda _: "asked")
    assert not is_safe(str(root))
    monkeypatch.setattr(root_check, "tracked_in", lambda _: 1 / 0)
    root.chmod(0o777)
    assert not is_safe(str(root))
