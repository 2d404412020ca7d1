"""Who may read a directory tree, and how files get the bits that they lack."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.fs.access import (
    callers_umask,
    group_to_give,
    is_own,
    make_cache_directory,
    make_users_directory,
    umask_of,
    widen,
)
from reconciler.fs.access_bits import access_to, lacks_access, missing_bits, root_bits

OTHER_GROUP = 12345
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may give files to any group")


@pytest.fixture
def top(tmp_path: Path) -> Path:
    made = tmp_path / "top"
    made.mkdir()
    return made


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize(
    ("mode", "access"), [(0o755, 0o055), (0o711, 0o055), (0o750, 0o050), (0o701, 0o005), (0o744, 0), (0o700, 0)]
)
def test_who_may_enter_the_top_directory_may_read(top: Path, mode: int, access: int) -> None:
    top.chmod(mode)
    assert access_to(top) == access


def test_a_missing_directory_gives_no_access(tmp_path: Path) -> None:
    assert access_to(tmp_path / "none") == 0
    assert root_bits(tmp_path / "none") == 0


def test_the_bits_of_a_root_are_those_of_group_and_others(top: Path) -> None:
    top.chmod(0o2751)
    assert root_bits(top) == 0o051


def test_a_path_lacks_access_only_if_it_exists(top: Path) -> None:
    (top / "file").write_text("x")
    (top / "file").chmod(0o640)
    (top / "link").symlink_to("none")
    assert lacks_access(top / "file", 0o005)
    assert not lacks_access(top / "file", 0o050)
    assert lacks_access(top / "none", 0o005) is False
    assert lacks_access(top / "link", 0o005) is False


@pytest.mark.parametrize(
    ("mode", "access", "missing"),
    [
        (stat.S_IFREG | 0o600, 0o055, 0o044),
        (stat.S_IFREG | 0o700, 0o055, 0o055),
        (stat.S_IFREG | 0o600, 0o050, 0o040),
        (stat.S_IFREG | 0o640, 0o055, 0o004),
        (stat.S_IFREG | 0o644, 0o055, 0),
        (stat.S_IFREG | 0o600, 0, 0),
        (stat.S_IFREG | 0o200, 0o055, 0),
        (stat.S_IFDIR | 0o700, 0o005, 0o005),
        (stat.S_IFLNK | 0o700, 0o055, 0),
    ],
)
def test_others_may_read_and_execute_what_the_owner_may(mode: int, access: int, missing: int) -> None:
    assert missing_bits(mode, access) == missing


def test_a_file_gets_the_bits_that_it_lacks_and_keeps_the_others(top: Path) -> None:
    file = top / "file"
    file.write_text("x")
    file.chmod(0o4620)
    assert widen(file, 0o055)
    assert mode_of(file) == 0o4664
    assert not widen(file, 0o055)


def test_a_link_is_not_changed_nor_what_it_points_to(top: Path) -> None:
    (top / "file").write_text("x")
    (top / "file").chmod(0o600)
    (top / "link").symlink_to("file")
    assert not widen(top / "link", 0o055)
    assert mode_of(top / "file") == 0o600


@AS_ROOT
def test_a_group_is_given_with_its_bits_and_what_is_made_in_a_directory_gets_it(top: Path) -> None:
    (top / "file").write_text("x")
    (top / "link").symlink_to("file")
    for name, mode, wanted in (("file", 0o4700, 0o4750), (".", 0o700, 0o2750)):
        (top / name).chmod(mode)
        assert widen(top / name, 0o050, OTHER_GROUP)
        assert not mode_of(top / name) & stat.S_ISUID  # the system clears it, and it is not set again
        assert (mode_of(top / name) & 0o3777, (top / name).lstat().st_gid) == (wanted & 0o3777, OTHER_GROUP)
        assert not widen(top / name, 0o050, OTHER_GROUP)
    assert widen(top / "link", 0o050, OTHER_GROUP)
    assert (top / "link").lstat().st_gid == OTHER_GROUP
    assert not widen(top / "link", 0o050, OTHER_GROUP)


@AS_ROOT
def test_the_group_matters_if_only_it_may_enter(top: Path) -> None:
    os.chown(top, -1, OTHER_GROUP)
    for mode, group in ((0o750, OTHER_GROUP), (0o755, -1), (0o700, -1)):
        top.chmod(mode)
        assert group_to_give(top) == group
        assert group_to_give(top, 0o050) == OTHER_GROUP
        assert group_to_give(top, 0o055) == -1
    os.chown(top, -1, os.getegid())
    top.chmod(0o750)
    assert group_to_give(top) == -1


def test_new_files_have_the_access_while_a_block_runs(top: Path) -> None:
    before = os.umask(0o027)
    try:
        assert callers_umask() == -1
        with umask_of(0o005):
            assert callers_umask() == 0o027
            (top / "file").touch(0o666)
            make_users_directory(top / "above" / "directory")
        assert mode_of(top / "file") == 0o604
        assert callers_umask() == -1
        assert os.umask(0o027) == 0o027
        assert [mode_of(top / each) for each in ("above", "above/directory")] == [0o750, 0o750]
        (top / "own").mkdir(0o700)
        with umask_of(0o055):
            make_users_directory(top / "own")  # it exists, so it is left as it is
        assert mode_of(top / "own") == 0o700
        make_users_directory(top / "later")
        assert mode_of(top / "later") == 0o750
        os.umask(0)
        with umask_of(0o005):
            make_users_directory(top / "open")
        assert mode_of(top / "open") == 0o777
    finally:
        os.umask(before)


@pytest.mark.parametrize("make", [make_users_directory, make_cache_directory])
def test_a_directory_that_another_process_makes_at_the_same_time_is_used(
    make: Callable[[Path], None], top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = Path.mkdir

    def late(path: Path, mode: int = 0o777, *, exist_ok: bool = False) -> None:
        if path.parent.is_dir():
            mkdir(path, mode)
        mkdir(path, mode, exist_ok=exist_ok)

    monkeypatch.setattr(Path, "mkdir", late)
    make(top / "above" / "directory")
    assert (top / "above" / "directory").is_dir()


def test_a_cache_directory_has_the_access_of_the_one_that_it_is_in(top: Path) -> None:
    top.chmod(0o750)
    before = os.umask(0o077)
    try:
        make_cache_directory(top / "cache" / "files")
    finally:
        os.umask(before)
    assert [mode_of(top / each) for each in ("cache", "cache/files")] == [0o750, 0o750]
    (top / "cache").chmod(0o700)
    make_cache_directory(top / "cache")  # it exists, so it is left as it is
    assert mode_of(top / "cache") == 0o700


@AS_ROOT
def test_a_file_of_another_user_is_not_own(top: Path) -> None:
    assert is_own(top)
    assert is_own(top / "none") is False
    os.chown(top, 12345, -1)
    assert not is_own(top)
