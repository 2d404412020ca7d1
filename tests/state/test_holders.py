"""Who keeps a root's lock: told of the living, of the dead, and of what the dead have left behind."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.errors import LockTimeoutError
from reconciler.state import root_mutex_holders
from reconciler.state.layout import Layout
from reconciler.state.root_mutex import hold_root
from reconciler.state.root_mutex_holders import holders_of

_KILLED = (
    "import os, pathlib, signal, subprocess, sys\n"
    "from reconciler.state.root_mutex import hold_root\n"
    "from reconciler.state.layout import Layout\n"
    "with hold_root(Layout(pathlib.Path(sys.argv[1])), timeout=5) as descriptor:\n"
    "    child = subprocess.Popen(['sleep', '30'], pass_fds=(descriptor,), stdout=subprocess.DEVNULL)\n"
    "    print(child.pid, flush=True)\n"
    "    os.kill(os.getpid(), signal.SIGKILL)\n"
)


def killed_holder(root: Path) -> tuple[int, int]:
    """Hold the root in a process that starts a child with the lock's descriptor and is killed; return both pids."""
    env = {**os.environ, "PYTHONPATH": str(Path(root_mutex_holders.__file__).parents[2])}
    holder = subprocess.Popen([sys.executable, "-c", _KILLED, str(root)], env=env, stdout=subprocess.PIPE)
    out, _ = holder.communicate(timeout=30)
    return holder.pid, int(out)


def test_what_a_killed_holder_started_keeps_the_root_and_is_named(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    holder, child = killed_holder(tmp_path)
    try:
        with pytest.raises(LockTimeoutError) as caught, hold_root(layout, timeout=0.2):
            pass
        message = caught.value.message
        assert message.startswith(f"what a killed envsync started still works in {tmp_path}, after 0.2 seconds")
        assert f"killed was pid {holder} on {socket.gethostname()}, since " in message
        if sys.platform == "linux":
            assert f": pid {child} (sleep); " in message
            assert holders_of(layout).orphans == (f"pid {child} (sleep)",)
    finally:
        os.kill(child, 9)
    with hold_root(layout, timeout=10):
        assert holders_of(layout).orphaned is False


def test_who_only_waits_is_no_keeper(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with hold_root(layout, timeout=1), layout.lock.open("rb"):
        found = holders_of(layout)
    assert found.who.startswith(f"pid {os.getpid()} on ")
    assert not found.orphaned


def test_without_proc_the_pid_alone_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root_mutex_holders, "_PROC", tmp_path / "none")
    layout = Layout(tmp_path)
    with hold_root(layout, timeout=1):
        assert not holders_of(layout).orphaned
        dead = subprocess.Popen(["true"])
        dead.wait()
        said = json.loads(layout.holder.read_bytes())
        layout.holder.write_text(json.dumps({**said, "pid": dead.pid}))
        assert holders_of(layout).orphaned
        assert holders_of(layout).orphans == ()
        layout.holder.write_text(json.dumps({**said, "pid": 1 << 80}))
        assert not holders_of(layout).orphaned
        layout.holder.write_text(json.dumps({**said, "pid": dead.pid, "host": "elsewhere"}))
        assert not holders_of(layout).orphaned


def test_the_descriptor_is_no_longer_open_after_the_block(tmp_path: Path) -> None:
    with hold_root(Layout(tmp_path), timeout=1) as descriptor:
        assert os.fstat(descriptor).st_ino == Layout(tmp_path).lock.stat().st_ino
        assert not os.get_inheritable(descriptor)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
