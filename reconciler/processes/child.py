"""The one subprocess seam: every program that envsync starts, and waits for, is started here.

A child gets an explicit argv and environment, no standard input, a deadline, and a process group of its own; it dies
with its parent (PR_SET_PDEATHSIG, Linux). Its output is captured, never relayed.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_GRACE_SECONDS = 3.0
_DRAIN_SECONDS = 1.0
# How long the main thread may block on a lock at a time. The kernel gives a signal to any thread that is just taking
# one, and wakes only that: of two that come at once, both may leave the main thread, which alone runs their handlers,
# asleep. (Python's own locks go on waiting; a wait that ends lets the handlers run.)
SIGNAL_SECONDS = 0.1

_running: set[subprocess.Popen[bytes]] = set()
_running_guard = threading.RLock()  # a signal's handler may stop children while this thread holds it
_stopping = threading.Event()


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A child that ended: `returncode` is negative for a signal; `timed_out` says that its deadline passed."""

    argv: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        """Say whether it exited 0 in time."""
        return self.returncode == 0 and not self.timed_out

    def last_words(self, lines: int = 15) -> tuple[str, ...]:
        """Return the last lines that it wrote, standard error before standard output, blank ones left out."""
        text = self.stderr.decode("utf-8", "replace").strip() or self.stdout.decode("utf-8", "replace").strip()
        return tuple(line.rstrip() for line in text.splitlines() if line.strip())[-lines:]


def run_child(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, timeout: float, inherit: tuple[int, ...] = ()
) -> Completed:
    """Run `argv` in `cwd` until it ends or `timeout` seconds pass; then its whole group is ended.

    `inherit` are descriptors that it keeps open (the root's lock: an orphan then never writes beside a new apply).
    Raises OSError where it cannot be started.
    """
    if _stopping.is_set():
        return Completed(argv=tuple(argv), returncode=-signal.SIGTERM, stdout=b"", stderr=b"interrupted")
    child = subprocess.Popen(
        list(argv),
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        pass_fds=inherit,
        # Safe beside threads: it calls one libc function that was looked up before the fork, and getppid.
        preexec_fn=_DieWithParent(os.getpid()) if _LIBC else None,
    )
    with _running_guard:
        _running.add(child)
    if _stopping.is_set():  # stop_children may have looked just before this one was listed
        _signal_group(child, signal.SIGTERM)
    timed_out = False
    try:
        try:
            stdout, stderr = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
            _end_group(child)
            stdout, stderr = _drain(child)
    except BaseException:  # a KeyboardInterrupt, too: no child outlives whoever waits for it
        _end_group(child)
        _drain(child)
        raise
    finally:
        with _running_guard:
            _running.discard(child)
    if _stopping.is_set():  # what it started may not heed the signal that ended it (a build that hangs)
        _signal_group(child, signal.SIGKILL)
    return Completed(argv=tuple(argv), returncode=child.returncode, stdout=stdout, stderr=stderr, timed_out=timed_out)


def stop_children() -> None:
    """Ask every running child to end, and refuse to start new ones: an interrupted run winds down."""
    _stopping.set()
    with _running_guard:
        children = tuple(_running)
    for child in children:
        _signal_group(child, signal.SIGTERM)


def kill_children() -> None:
    """Kill every running child, and what it started: nothing is waited for."""
    _stopping.set()
    with _running_guard:
        children = tuple(_running)
    for child in children:
        _signal_group(child, signal.SIGKILL)


def allow_children() -> None:
    """Allow children to start again after `stop_children` (a new run in the same process)."""
    _stopping.clear()


class _DieWithParent:
    """Called between fork and exec: ask the kernel to kill the child when the thread that started it dies."""

    def __init__(self, parent: int) -> None:
        self.parent = parent

    def __call__(self) -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self.parent:  # it died before the request reached the kernel
            os._exit(1)


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """End a child and what it started: ask first, then kill."""
    _signal_group(child, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        child.wait(timeout=_GRACE_SECONDS)
    _signal_group(child, signal.SIGKILL)


def _drain(child: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Return what an ended child wrote; one that left its group may hold the pipes, and is not waited for."""
    try:
        return child.communicate(timeout=_DRAIN_SECONDS)
    except subprocess.TimeoutExpired as held:
        for pipe in (child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()
        return held.output or b"", held.stderr or b""


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to the child's whole group; a group that is already gone (macOS: all zombies) is what we wanted."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)
