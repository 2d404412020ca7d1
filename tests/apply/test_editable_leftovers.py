"""What an install leaves in the directory of an editable project is deleted, unless it was there before."""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from reconciler.apply.editable_leftovers import _leftovers, clean_editables
from reconciler.lock.select import select_artifacts
from tests.lock.test_select import INTERPRETER, lock_of


@pytest.mark.parametrize(
    ("directories", "files", "found"),
    [
        (["own.egg-info", "src/own.egg-info"], [], ["own.egg-info", "src/own.egg-info"]),
        (["__pycache__", ".pdm-build", "src/__pycache__"], [], [".pdm-build", "__pycache__", "src/__pycache__"]),
        (["own", "src/own/__pycache__", "egg-info", "own.egg-info.d", "dist"], [], []),
        (["build/lib", "build/lib.linux", "build/temp.linux", "build/bdist.linux"], [], ["build", "build/*"]),
        (["build/lib", "build/docs"], [], ["build/lib"]),
        (["build/lib"], ["build/report"], ["build/lib"]),
        (["build"], [], ["build"]),
        (["build/temp.", "build/library"], [], []),
        ([], ["own.egg-info", "__pycache__", "build"], []),
    ],
)
def test_only_directories_that_a_build_makes_are_leftovers(
    directories: Sequence[str], files: Sequence[str], found: Sequence[str], tmp_path: Path
) -> None:
    for each in directories:
        (tmp_path / each).mkdir(parents=True)
    for each in files:
        (tmp_path / each).touch()
    expected = {path for pattern in found for path in tmp_path.glob(pattern)}
    assert len(expected) >= len(found)
    assert _leftovers(tmp_path) == expected


def test_a_link_to_a_directory_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "own.egg-info").symlink_to("real")
    assert _leftovers(tmp_path) == frozenset()


def test_what_is_new_is_deleted_after_the_build_also_if_it_fails(tmp_path: Path) -> None:
    projects = [tmp_path / name for name in ("one", "two", "copied")]
    for each in projects:
        (each / "old.egg-info").mkdir(parents=True)
    packages = [
        {"name": each.name, "directory": {"path": f"../{each.name}", "editable": each.name != "copied"}}
        for each in projects
    ]
    lock = lock_of(*packages, path=tmp_path / "locks/pylock.web.toml")

    def build() -> None:
        with clean_editables(lock, select_artifacts(lock, INTERPRETER)):
            for each in projects:
                (each / "new.egg-info").mkdir()
                (each / "new.egg-info/PKG-INFO").touch()
                (each / "kept").touch()
            assert [_is_locked(each) for each in projects] == [True, True, False]
            raise RuntimeError("the build fails")

    with pytest.raises(RuntimeError, match="the build fails"):
        build()
    assert sorted(os.listdir(projects[0])) == sorted(os.listdir(projects[1])) == ["kept", "old.egg-info"]
    assert sorted(os.listdir(projects[2])) == ["kept", "new.egg-info", "old.egg-info"]
    assert not any(_is_locked(each) for each in projects)


def _is_locked(directory: Path) -> bool:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def test_a_project_that_is_gone_stops_no_build(tmp_path: Path) -> None:
    lock = lock_of(
        {"name": "own", "directory": {"path": "../gone", "editable": True}}, path=tmp_path / "locks/pylock.web.toml"
    )
    with clean_editables(lock, select_artifacts(lock, INTERPRETER)):
        pass
    assert os.listdir(tmp_path) == []
