"""The lock of `run` on its generation never takes the place of a standard stream, and its failure stops nothing."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.run import _hold_mark

CLOSED = (
    "import os, sys\n"
    "from reconciler.run import _hold_mark\n"
    "for number in (0, 1, 2): os.close(number)\n"
    "mark = _hold_mark(sys.argv[1])\n"
    "free = [number for number in (0, 1, 2) if not os.path.exists(f'/proc/self/fd/{number}')]\n"
    "os._exit(mark if len(free) == 3 and os.get_inheritable(mark) else 1)\n"
)


def is_locked(directory: Path) -> bool:
    with (directory / "in-use").open() as other:
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_the_mark_is_made_locked_and_inherited(tmp_path: Path) -> None:
    for _ in range(2):
        mark = _hold_mark(str(tmp_path))
        try:
            assert mark > 2
            assert os.get_inheritable(mark)
            assert is_locked(tmp_path)
        finally:
            os.close(mark)
        assert not is_locked(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_it_does_not_become_a_standard_stream_that_was_closed(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", CLOSED, str(tmp_path)], cwd=Path(__file__).parents[2], check=False)
    assert done.returncode > 2


def test_without_a_generation_or_with_something_else_in_the_place_of_the_mark_there_is_none(tmp_path: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    assert _hold_mark(str(tmp_path / "none")) == -1
    (tmp_path / "link").symlink_to(tmp_path)
    assert _hold_mark(str(tmp_path / "link")) == -1
    assert not (tmp_path / "in-use").exists()
    (tmp_path / "in-use").symlink_to("elsewhere")
    assert _hold_mark(str(tmp_path)) == -1
    assert not (tmp_path / "elsewhere").exists()
    assert len(os.listdir("/dev/fd")) == before
