"""A scratch directory of a killed process is deleted by a later run; any other stays."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.processes.scratch import clear_scratch, scratch_directory
from tests.host import base_environment

_HOLD = """
import sys
from reconciler.processes.scratch import scratch_directory
with scratch_directory("probe") as place:
    (place / "deep").mkdir()
    (place / "deep/file").touch()
    (place / "link").symlink_to(sys.argv[1])
    print(place, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a temporary directory of our own."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


@pytest.fixture
def left(tmp_path: Path, temporary: Path) -> Iterator[Path]:
    """Return the scratch directory that a killed process left."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(precious)],
        env={**base_environment(), "TMPDIR": str(temporary)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        place = Path(child.stdout.readline().strip())
        assert clear_scratch() == [], "its process is alive"
        child.send_signal(signal.SIGKILL)
    assert place.is_dir()
    yield place
    assert (precious / "file").exists()


def test_what_a_killed_process_left_is_deleted(left: Path) -> None:
    assert clear_scratch() == [left]
    assert not left.exists()


def test_a_directory_that_is_still_locked_is_kept(left: Path, temporary: Path) -> None:
    with scratch_directory() as ours:
        foreign = temporary / f"envsync-{left.name.split('-')[2]}-aaaaaaaa"  # like that of a process elsewhere
        ours.rename(foreign)
        assert clear_scratch() == [left]
        assert foreign.is_dir()
        foreign.rename(ours)
    assert os.listdir(temporary) == []


@pytest.mark.parametrize(
    "name", ["envsync-{pid}-short", "envsync-probe-aaaaaaaa", "envsync-test-{pid}-aaaaaaaa.d", "other-{pid}-aaaaaaaa"]
)
def test_a_directory_with_any_other_name_is_kept(name: str, left: Path, temporary: Path) -> None:
    other = temporary / name.format(pid=left.name.split("-")[2])
    other.mkdir()
    assert clear_scratch() == [left]
    assert other.is_dir()


def test_a_link_with_such_a_name_is_kept_and_not_followed(left: Path, temporary: Path, tmp_path: Path) -> None:
    link = temporary / f"envsync-{left.name.split('-')[2]}-aaaaaaaa"
    link.symlink_to(tmp_path / "precious")
    assert clear_scratch() == [left]
    assert link.is_symlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the superuser, to give a directory to another user")
def test_a_directory_of_another_user_is_kept(left: Path) -> None:
    os.chown(left, 65534, -1)
    assert clear_scratch() == []
    assert left.is_dir()


def test_a_directory_that_something_else_deleted_is_not_an_error() -> None:
    with scratch_directory() as place:
        place.rmdir()
    assert not place.exists()
