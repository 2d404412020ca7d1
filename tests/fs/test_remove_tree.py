"""Deleting a tree never deletes anything outside of it."""

import errno
import os
import resource
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from reconciler.fs.remove_tree import ForeignTreeError, remove_tree
from tests.mounts import mounted
from tests.unprivileged import reachable_directory, unprivileged


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return a directory outside of the root, which must never change."""
    place = tmp_path / "outside"
    (place / "deep").mkdir(parents=True)
    (place / "deep/file").write_text("mine")
    return place


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "root"
    (place / "generations/web/7/venv/lib").mkdir(parents=True)
    (place / "generations/web/7/venv/lib/module.py").write_text("")
    return place


def test_a_tree_is_deleted_and_its_neighbors_are_kept(root: Path) -> None:
    (root / "generations/web/8").mkdir()
    remove_tree(root / "generations/web", "7", below=root)
    assert os.listdir(root / "generations/web") == ["8"]


def test_one_file_is_deleted_first_and_one_last(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generation = root / "generations/web/7"
    for name in ("identity", "another", "seal"):
        (generation / name).touch()
    deleted: list[str] = []
    for function in ("unlink", "rmdir"):
        delete = getattr(os, function)

        def recorded(name: str, *, dir_fd: int, delete: Callable[..., None] = delete) -> None:
            delete(name, dir_fd=dir_fd)
            deleted.append(name)

        monkeypatch.setattr(os, function, recorded)
    opened = os.listdir("/dev/fd")
    remove_tree(root / "generations/web", "7", below=root, first="seal", last="identity")
    assert (deleted[0], *deleted[-2:]) == ("seal", "identity", "7")
    assert sorted(deleted) == sorted(["seal", "identity", "7", "another", "venv", "lib", "module.py"])
    assert os.listdir("/dev/fd") == opened


def test_mounts_are_looked_for_only_where_the_system_lists_them(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.fs.mounts._MOUNTS", tmp_path / "none")
    remove_tree(root / "generations/web", "7", below=root)
    assert os.listdir(root / "generations/web") == []


def test_the_list_of_mounts_has_escaped_names(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generations = root / "a\tb"
    (generations / "7/lib").mkdir(parents=True)
    mounts = tmp_path / "mountinfo"
    monkeypatch.setattr("reconciler.fs.mounts._MOUNTS", mounts)
    for point in ("7", "7/lib", "7/l\\040b"):
        mounts.write_text(f"22 1 0:5 / / rw\n23 1 0:5 / {root}/a\\011b/{point} rw - proc proc rw\n")
        with pytest.raises(ForeignTreeError, match="mounted"):
            remove_tree(generations, "7", below=root)
    mounts.write_text(f"22 1 0:5 / {root}/a\\011b/77 rw\n")
    remove_tree(generations, "7", below=root)
    assert os.listdir(generations) == []


def test_a_tree_that_does_not_exist_is_not_an_error(root: Path) -> None:
    remove_tree(root / "generations/web", "9", below=root)
    assert os.listdir(root / "generations/web") == ["7"]


def test_links_inside_are_deleted_and_their_targets_are_kept(root: Path, outside: Path) -> None:
    venv = root / "generations/web/7/venv"
    (venv / "file").symlink_to(outside / "deep/file")
    (venv / "directory").symlink_to(outside)
    (venv / "lib/up").symlink_to("../../../../../../outside")
    (venv / "circle").symlink_to(".")
    (venv / "dangling").symlink_to("gone")
    os.link(outside / "deep/file", venv / "hard")
    os.mkfifo(venv / "pipe")
    remove_tree(root / "generations/web", "7", below=root)
    assert os.listdir(root / "generations/web") == []
    assert (outside / "deep/file").read_text() == "mine"


def test_a_link_instead_of_the_tree_is_refused_and_its_target_is_kept(root: Path, outside: Path) -> None:
    (root / "generations/web/8").symlink_to(outside)
    with pytest.raises(OSError, match=r".") as caught:
        remove_tree(root / "generations/web", "8", below=root)
    assert caught.value.errno in {errno.ELOOP, errno.ENOTDIR}
    assert (outside / "deep/file").read_text() == "mine"


@pytest.mark.parametrize("depth", ["generations", "generations/web"])
def test_a_link_in_the_path_is_refused(depth: str, root: Path, outside: Path) -> None:
    inner = outside / "web/7" if depth == "generations" else outside / "7"
    inner.mkdir(parents=True)
    (inner / "file").write_text("mine")
    shutil.rmtree(root / depth)
    (root / depth).symlink_to(outside)
    with pytest.raises(OSError, match=r".") as caught:
        remove_tree(root / "generations/web", "7", below=root)
    assert caught.value.errno in {errno.ELOOP, errno.ENOTDIR}
    assert (inner / "file").read_text() == "mine"


def test_a_link_above_the_root_is_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(root)
    remove_tree(tmp_path / "alias/generations/web", "7", below=tmp_path / "alias")
    assert os.listdir(root / "generations/web") == []


@pytest.mark.parametrize("name", ["", ".", "..", "7/venv", "/", "../outside", "7/../../../../outside"])
def test_a_name_that_is_a_path_is_refused(name: str, root: Path, outside: Path) -> None:
    with pytest.raises(ValueError, match="not one name"):
        remove_tree(root / "generations/web", name, below=root)
    assert (root / "generations/web/7/venv").is_dir()
    assert outside.is_dir()


def test_a_path_outside_of_the_root_is_refused(root: Path, outside: Path) -> None:
    for parent in (root / "generations/../../outside", outside):
        with pytest.raises(ValueError, match=r"."):
            remove_tree(parent, "deep", below=root)
    assert (outside / "deep/file").exists()


def test_a_file_instead_of_the_tree_is_an_error(root: Path) -> None:
    (root / "generations/web/8").write_text("")
    with pytest.raises(NotADirectoryError):
        remove_tree(root / "generations/web", "8", below=root)
    assert (root / "generations/web/8").exists()


def test_names_of_any_bytes_are_deleted(root: Path) -> None:
    place = root / "generations/web/7"
    for name in (b"latin-\xe9", b"new\nline", b"-rf", b"*", "ü".encode()):
        (place / os.fsdecode(name)).write_bytes(b"")
    remove_tree(root / "generations/web", "7", below=root)
    assert not place.exists()


@pytest.fixture
def few_descriptors() -> Iterator[None]:
    """Let this process open at most 8 more descriptors."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(each) for each in os.listdir("/dev/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 8, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("few_descriptors")
def test_a_tree_of_more_than_a_thousand_levels_is_deleted_with_few_descriptors(root: Path, outside: Path) -> None:
    place = root / "generations/web/7"
    descriptor = os.open(place, os.O_RDONLY)
    for number in range(1500):
        os.symlink(outside, "link", dir_fd=descriptor)
        os.close(os.open("file", os.O_CREAT, dir_fd=descriptor))
        if number % 500 == 0:
            os.mkdir("other", dir_fd=descriptor)
        os.mkdir("d", dir_fd=descriptor)
        inner = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
    remove_tree(root / "generations/web", "7", below=root)
    assert os.listdir(root / "generations/web") == []
    assert (outside / "deep/file").read_text() == "mine"


def test_a_directory_that_is_moved_away_meanwhile_does_not_take_it_out_of_the_tree(root: Path, outside: Path) -> None:
    inner = root / "generations/web/7/venv/lib"
    identity = inner.stat().st_ino
    armed = [True]

    def move(event: str, arguments: tuple[object, ...]) -> None:
        """Move the directory just before its entries are listed; a hook cannot be removed, so it acts once."""
        listed = arguments[0] if event == "os.listdir" and armed else None
        if isinstance(listed, int) and os.fstat(listed).st_ino == identity:
            armed.clear()
            inner.rename(outside / "deep/lib")

    sys.addaudithook(move)
    with pytest.raises(ForeignTreeError, match="it was moved while it was deleted"):
        remove_tree(root / "generations/web", "7", below=root)
    assert not armed
    assert (outside / "deep/file").read_text() == "mine"
    assert (outside / "deep/lib").is_dir()


def test_a_tree_without_permission_is_an_error() -> None:
    with reachable_directory() as place:
        (place / "7/venv").mkdir(parents=True)
        with unprivileged(), pytest.raises(PermissionError):
            remove_tree(place, "7")
        assert (place / "7/venv").is_dir()


def test_the_error_about_a_directory_that_cannot_be_emptied_names_the_permission_and_the_file() -> None:
    with reachable_directory() as directory:
        inner = directory / "tree/a/fixed"
        inner.mkdir(parents=True)
        (inner / "file").touch()
        inner.chmod(0o555)
        if os.geteuid() == 0:
            for path in (directory, directory / "tree", inner.parent):
                os.chown(path, 65534, -1)
        try:
            with unprivileged(), pytest.raises(PermissionError) as caught:
                remove_tree(directory, "tree")
            assert caught.value.filename == "a/fixed/file"
        finally:
            inner.chmod(0o755)


@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
@pytest.mark.parametrize("place", ["7", "7/venv", "7/venv/lib", "7/a b\\c"], ids=["top", "below", "deep", "escaped"])
def test_nothing_is_deleted_if_something_is_mounted_at_or_below(
    place: str, kind: str, root: Path, outside: Path
) -> None:
    """A bind mount may have the same device, so only the kernel's list of mounts shows it."""
    point = root / "generations/web" / place
    point.mkdir(exist_ok=True)
    (root / "generations/web/7/file").write_text("kept")
    with mounted(*(("-t", "tmpfs", "tmpfs") if kind == "tmpfs" else ("--bind", outside)), point):
        (point / "data").write_text("mine")
        with pytest.raises(ForeignTreeError, match="mounted at or below"):
            remove_tree(root / "generations/web", "7", below=root)
        assert (point / "data").read_text() == "mine"
    assert (root / "generations/web/7/file").read_text() == "kept"


def test_a_neighbor_whose_name_begins_the_same_may_be_mounted(root: Path) -> None:
    (root / "generations/web/70").mkdir()
    with mounted("-t", "tmpfs", "tmpfs", root / "generations/web/70"):
        remove_tree(root / "generations/web", "7", below=root)
    assert os.listdir(root / "generations/web") == ["70"]


def test_a_file_system_that_is_mounted_after_the_check_is_not_entered(root: Path) -> None:
    point = root / "generations/web/7/venv"
    with ExitStack() as stack:
        with pytest.raises(ForeignTreeError, match="mounted below"):
            remove_tree(
                root / "generations/web",
                "7",
                below=root,
                check=lambda _: _mount_with_data(stack, point),  # called between the check for mounts and the deletion
            )
        assert (point / "data").read_text() == "mine"


def _mount_with_data(stack: ExitStack, point: Path) -> None:
    stack.enter_context(mounted("-t", "tmpfs", "tmpfs", point))
    (point / "data").write_text("mine")
