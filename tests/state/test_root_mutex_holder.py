"""The holder of a root mutex is named: a live process, or the programs that a killed one left."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.errors import LockTimeoutError
from reconciler.state import root_mutex_holder
from reconciler.state.layout import Layout
from reconciler.state.root_mutex import acquire_root_mutex
from reconciler.state.root_mutex_holder import find_holder

_KILLED = (
    "import os, pathlib, signal, subprocess, sys\n"
    "from reconciler.state.root_mutex import acquire_root_mutex\n"
    "from reconciler.state.layout import Layout\n"
    "with acquire_root_mutex(Layout(pathlib.Path(sys.argv[1])), timeout=5) as descriptor:\n"
    "    child = subprocess.Popen(['sleep', '30'], pass_fds=(descriptor,), stdout=subprocess.DEVNULL)\n"
    "    print(child.pid, flush=True)\n"
    "    os.kill(os.getpid(), signal.SIGKILL)\n"
)


def killed_holder(root: Path) -> tuple[int, int]:
    """Start a process that takes the mutex, gives its descriptor to a child and is killed; return both pids."""
    env = {**os.environ, "PYTHONPATH": str(Path(root_mutex_holder.__file__).parents[2])}
    holder = subprocess.Popen([sys.executable, "-c", _KILLED, str(root)], env=env, stdout=subprocess.PIPE)
    out, _ = holder.communicate(timeout=30)
    return holder.pid, int(out)


def test_a_program_of_a_killed_holder_keeps_the_mutex_and_is_named(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    holder, child = killed_holder(tmp_path)
    try:
        with pytest.raises(LockTimeoutError) as caught, acquire_root_mutex(layout, timeout=0.2):
            pass
        message = caught.value.message
        assert message.startswith(
            f"`{tmp_path}` is locked by programs that a killed envsync started (waited 0.2 seconds)"
        )
        assert f"the killed envsync was pid {holder} on `{socket.gethostname()}`, since " in message
        if sys.platform == "linux":
            assert f": pid {child} (`sleep`); " in message
            assert find_holder(layout).orphans == (f"pid {child} (`sleep`)",)
    finally:
        os.kill(child, 9)
    with acquire_root_mutex(layout, timeout=10):
        assert find_holder(layout).orphaned is False


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows who holds a lock")
def test_a_process_that_locks_a_different_file_is_not_the_holder(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    _, child = killed_holder(tmp_path)
    code = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); input()"
    locks = [sys.executable, "-c", code, str(tmp_path / "other")]
    try:
        with subprocess.Popen(locks, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdout is not None
            other.stdout.readline()
            assert find_holder(layout).orphans == (f"pid {child} (`sleep`)",)
            other.communicate(b"\n")
    finally:
        os.kill(child, 9)


def test_a_process_that_only_opens_the_file_is_not_the_holder(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with acquire_root_mutex(layout, timeout=1), layout.mutex.open("rb"):
        found = find_holder(layout)
    assert found.description.startswith(f"pid {os.getpid()} on ")
    assert not found.orphaned


def test_without_proc_only_the_pid_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root_mutex_holder, "_PROC", tmp_path / "none")
    layout = Layout(tmp_path)
    with acquire_root_mutex(layout, timeout=1):
        assert not find_holder(layout).orphaned
        dead = subprocess.Popen(["true"])
        dead.wait()
        written = json.loads(layout.mutex_holder.read_bytes())
        layout.mutex_holder.write_text(json.dumps({**written, "pid": dead.pid}))
        assert find_holder(layout).orphaned
        assert find_holder(layout).orphans == ()
        layout.mutex_holder.write_text(json.dumps({**written, "pid": 1 << 80}))
        assert not find_holder(layout).orphaned
        layout.mutex_holder.write_text(json.dumps({**written, "pid": dead.pid, "host": "elsewhere"}))
        assert not find_holder(layout).orphaned


def test_the_descriptor_is_closed_after_the_block(tmp_path: Path) -> None:
    with acquire_root_mutex(Layout(tmp_path), timeout=1) as descriptor:
        assert os.fstat(descriptor).st_ino == Layout(tmp_path).mutex.stat().st_ino
        assert not os.get_inheritable(descriptor)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
