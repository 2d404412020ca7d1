"""The root's lock: one apply at a time. An OS file lock, so that it dies with its process; the holder beside it."""

import datetime as dt
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from filelock import FileLock, Timeout

from reconciler.errors import LockTimeoutError, StateError
from reconciler.state.files import write_atomic
from reconciler.state.layout import Layout

DEFAULT_TIMEOUT_SECONDS = 60.0


@contextmanager
def hold_root(layout: Layout, *, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> Iterator[None]:
    """Hold the root's lock; wait `timeout` seconds at most.

    Raises LockTimeoutError naming the holder, or StateError where the root cannot be written.
    """
    try:
        layout.own.mkdir(parents=True, exist_ok=True)
        _keep_out_of_git(layout)
        lock = FileLock(layout.lock, timeout=timeout)
        lock.acquire(poll_interval=0.05)
    except Timeout as error:
        raise LockTimeoutError(
            f"another envsync holds {layout.root} since {timeout:g} seconds or more: {_who(layout)}",
            hint="wait for it, or give more time with --lock-timeout",
        ) from error
    except OSError as error:
        raise StateError(f"{layout.root} cannot be written: {error.strerror}") from error
    try:
        _say_who(layout)
        yield
    finally:
        with suppress(OSError):
            layout.holder.unlink(missing_ok=True)
        lock.release()


def _keep_out_of_git(layout: Layout) -> None:
    """Write the root's .gitignore once: environments are made, never committed."""
    ignore = layout.root / ".gitignore"
    if not ignore.exists():
        write_atomic(ignore, b"*\n")


def _say_who(layout: Layout) -> None:
    """Write who holds the lock; only a message depends on it, so a failure is nobody's problem."""
    holder = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": dt.datetime.now(dt.UTC).replace(microsecond=0).isoformat(),
        "command": " ".join(os.path.basename(part) for part in sys.argv[:2]),  # noqa: PTH119  # no path of anybody's
    }
    with suppress(OSError):
        write_atomic(layout.holder, json.dumps(holder).encode("ascii"))


def _who(layout: Layout) -> str:
    """Return a phrase that names the holder."""
    try:
        holder = json.loads(layout.holder.read_bytes())
        return f"pid {holder['pid']} on {holder['host']}, since {holder['since']}, {holder['command']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "its holder did not say who it is"
