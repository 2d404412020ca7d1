"""Starts every program that envsync waits for; no other module starts one.

A child gets an explicit argv and environment, no standard input, a deadline, and a process group of its own. On Linux
it dies with its parent (PR_SET_PDEATHSIG). Its output is captured and never passed on.
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
# How long the main thread may block on a lock at a time. The kernel delivers a signal to any thread that accepts it and
# wakes only that thread, but Python runs handlers only in the main thread. A main thread that waits on a lock without a
# timeout may therefore never run the handler.
SIGNAL_SECONDS = 0.1

_running: set[subprocess.Popen[bytes]] = set()
_running_guard = threading.RLock()  # reentrant: a signal handler may stop children while this thread holds it
_stopping = threading.Event()


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A child that ended. `returncode` is negative for a signal; `timed_out` is True if its deadline passed."""

    argv: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes
    timed_out: bool

    @property
    def ok(self) -> bool:
        """Return whether the child exited with 0 before its deadline."""
        return self.returncode == 0 and not self.timed_out

    def last_lines(self, count: int = 15) -> tuple[str, ...]:
        """Return the last `count` lines that are not blank, of standard error or, if it is empty, standard output."""
        text = self.stderr.decode("utf-8", "replace").strip() or self.stdout.decode("utf-8", "replace").strip()
        return tuple(line.rstrip() for line in text.splitlines() if line.strip())[-count:]


def run_child(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    timeout: float,
    inherit: tuple[int, ...] = (),
    umask: int = -1,
) -> Completed:
    """Run `argv` in `cwd` until it ends; after `timeout` seconds its whole process group is ended.

    `umask` is its umask, -1 for that of this process.

    The child keeps the descriptors `inherit` open. One of them is the root mutex: the root stays locked while a child
    of a killed envsync still writes to it. Raises OSError if the program cannot be started.
    """
    if _stopping.is_set():
        return Completed(
            argv=tuple(argv), returncode=-signal.SIGTERM, stdout=b"", stderr=b"interrupted", timed_out=False
        )
    child = subprocess.Popen(
        list(argv),
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        pass_fds=inherit,
        umask=umask,
        # Safe with threads: it calls getppid and one libc function that was looked up before the fork.
        preexec_fn=_DieWithParent(os.getpid()) if _LIBC else None,
    )
    with _running_guard:
        _running.add(child)
    if _stopping.is_set():  # stop_children may have run just before this child was listed
        _signal_group(child, signal.SIGTERM)
    timed_out = False
    try:
        try:
            stdout, stderr = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
            _end_group(child)
            stdout, stderr = _drain(child)
    except BaseException:  # KeyboardInterrupt included: no child outlives the call that waits for it
        _end_group(child)
        _drain(child)
        raise
    finally:
        with _running_guard:
            _running.discard(child)
    if _stopping.is_set():  # processes that it started may ignore the signal that ended it
        _signal_group(child, signal.SIGKILL)
    return Completed(argv=tuple(argv), returncode=child.returncode, stdout=stdout, stderr=stderr, timed_out=timed_out)


def stop_children() -> None:
    """Ask every running child to end, and start no new ones: the run was interrupted."""
    _stopping.set()
    with _running_guard:
        children = tuple(_running)
    for child in children:
        _signal_group(child, signal.SIGTERM)


def kill_children() -> None:
    """Kill every running child and the processes that it started, without waiting for them."""
    _stopping.set()
    with _running_guard:
        children = tuple(_running)
    for child in children:
        _signal_group(child, signal.SIGKILL)


def allow_children() -> None:
    """Allow children to start again after `stop_children`, for a new run in the same process."""
    _stopping.clear()


class _DieWithParent:
    """Runs between fork and exec: asks the kernel to kill the child when the thread that started it dies."""

    def __init__(self, parent: int) -> None:
        self.parent = parent

    def __call__(self) -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self.parent:  # the parent died before the request reached the kernel
            os._exit(1)


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """End a child and the processes that it started: ask first, then kill."""
    _signal_group(child, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        child.wait(timeout=_GRACE_SECONDS)
    _signal_group(child, signal.SIGKILL)


def _drain(child: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Return the output of an ended child, without waiting for its own children that keep the pipes open."""
    try:
        return child.communicate(timeout=_DRAIN_SECONDS)
    except subprocess.TimeoutExpired as held:
        for pipe in (child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()
        return held.output or b"", held.stderr or b""


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to the child's whole process group; a group that is already gone (macOS: all zombies) is fine."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)
