"""A root on a file system that lacks what envsync needs is refused, and what one can do is found out once."""

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import RootFileSystemError
from reconciler.fs import mounts
from reconciler.fs.file_system import Ability, probe_file_system
from reconciler.fs.mounts import file_system_kind
from reconciler.state.layout import Layout
from reconciler.state.root_file_system import has_locks, root_file_system
from reconciler.state.root_mutex import acquire_root_mutex, may_write_cache, prepare_cache
from tests.state.edited import stored_in, write_stored

Fail = Callable[[str, int], None]


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Fail:
    """Return a function that lets a system call fail with an error."""

    def set_error(name: str, number: int) -> None:
        def refused(*_: object, **__: object) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(fcntl if name in {"flock", "ioctl"} else os, name, refused)

    return set_error


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "root")
    layout.root.mkdir()
    assert prepare_cache(layout)
    layout.file_system.unlink()
    return layout


@pytest.mark.parametrize(
    ("call", "number", "missing"),
    [
        *(("flock", number, "file locks") for number in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF)),
        *(("symlink", number, "symbolic links") for number in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)),
        *(("fchmod", number, "permissions") for number in (errno.EPERM, errno.EOPNOTSUPP)),
    ],
)
def test_a_root_without_what_is_needed_is_refused(
    layout: Layout, fail: Fail, call: str, number: int, missing: str
) -> None:
    fail(call, number)
    with pytest.raises(RootFileSystemError) as caught, acquire_root_mutex(layout, timeout=0):
        pass
    kind = file_system_kind(layout.root)
    assert kind
    assert caught.value.message == f"{missing} do not work on the file system of `{layout.root}` ({kind})"
    assert not layout.mutex.exists()
    assert not list(layout.cache.glob(".probe*"))


def test_everything_that_is_missing_is_named(
    layout: Layout, fail: Fail, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(mounts, "_MOUNTS", tmp_path / "missing")
    fail("symlink", errno.EPERM)
    fail("flock", errno.ENOLCK)
    with pytest.raises(RootFileSystemError) as caught, acquire_root_mutex(layout, timeout=0):
        pass
    assert caught.value.message == (f"file locks and symbolic links do not work on the file system of `{layout.root}`")


@pytest.mark.parametrize("call", ["link", "ioctl"])
def test_what_is_not_needed_may_be_missing(layout: Layout, fail: Fail, call: str) -> None:
    fail(call, errno.EOPNOTSUPP)
    with acquire_root_mutex(layout, timeout=0):
        pass
    found = root_file_system(layout)
    assert found.missing == ()
    assert found.abilities[Ability.HARD_LINKS] is (call != "link")
    assert not (call == "ioctl" and found.abilities[Ability.CLONES])


@pytest.mark.parametrize("call", ["flock", "symlink", "link", "fchmod", "fsync"])
def test_any_other_error_is_not_taken_for_a_missing_ability(layout: Layout, fail: Fail, call: str) -> None:
    fail(call, errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        probe_file_system(layout.cache)
    assert not list(layout.cache.glob(".probe*"))


def test_locks_that_stop_working_are_named(layout: Layout, fail: Fail) -> None:
    with acquire_root_mutex(layout, timeout=0):
        pass
    fail("flock", errno.ENOLCK)
    with pytest.raises(RootFileSystemError, match=r"^file locks do not work "), acquire_root_mutex(layout, timeout=0):
        pass


def test_the_cache_is_not_used_without_locks(layout: Layout, fail: Fail) -> None:
    """uv locks its cache; it gets a temporary one instead."""
    fail("flock", errno.ENOLCK)
    assert not has_locks(layout)
    assert not prepare_cache(layout)
    assert not may_write_cache(layout)


def test_a_file_system_is_tried_once(layout: Layout, fail: Fail) -> None:
    first = root_file_system(layout)
    fail("symlink", errno.EPERM)
    assert root_file_system(layout) == first
    stored = stored_in(layout.file_system)
    assert first.kind == stored["kind"] == file_system_kind(layout.root)
    damages: tuple[dict[str, object], ...] = (
        {"identity": "another mount"},
        {"abilities": {}},
        {"abilities": 3},
        {"kind": None, "identity": 3},
    )
    for damage in damages:
        write_stored(layout.file_system, {**stored, **damage})
        assert root_file_system(layout).missing == (Ability.SYMLINKS,)


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_names_are_tried_in_any_locale(locale: str, tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; from reconciler.fs.file_system import probe_file_system as probe;"
        "print(sorted(probe(pathlib.Path(sys.argv[1])).abilities.values(), key=str).count(False))"
    )
    variables = {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        env=variables,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) <= 1  # clones
    assert os.listdir(tmp_path) == []


def test_what_is_missing_is_not_remembered(layout: Layout, fail: Fail, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error may have another cause, which is gone by the next run."""
    with monkeypatch.context():
        fail("flock", errno.ENOLCK)
        assert root_file_system(layout).missing == (Ability.LOCKS,)
    monkeypatch.undo()
    assert root_file_system(layout).missing == ()


def test_what_is_remembered_must_be_our_own(layout: Layout) -> None:
    root_file_system(layout)
    text = layout.file_system.read_text().replace('"file locks":true', '"file locks":false')
    layout.file_system.write_text(text)
    assert root_file_system(layout).missing == ()


def test_a_directory_that_cannot_be_written_has_no_locks(layout: Layout, fail: Fail) -> None:
    fail("open", errno.EROFS)
    assert not has_locks(layout)
