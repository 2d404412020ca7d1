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
from reconciler.fs.atomic_write import write_atomic
from reconciler.state.layout import Layout
from reconciler.state.root_mutex_holders import holders_of

DEFAULT_TIMEOUT_SECONDS = 60.0


@contextmanager
def hold_root(layout: Layout, *, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> Iterator[int]:
    """Hold the root's lock and yield its descriptor; wait `timeout` seconds at most.

    A child that keeps the descriptor keeps the lock, even when this process is killed. Raises LockTimeoutError naming
    the holder, or StateError where the root cannot be written, or envsync's own directories are not its own.
    """
    refuse_links(layout)
    descriptors: list[int] = []  # a second one of the same open file: filelock closes its own in every fork
    try:
        layout.own.mkdir(parents=True, exist_ok=True)
        _keep_out_of_git(layout)
        lock = FileLock(layout.lock, timeout=timeout, on_acquired=lambda held: descriptors.append(os.dup(held)))
        lock.acquire(poll_interval=0.05)
    except Timeout as error:
        raise _timed_out(layout, timeout) from error
    except OSError as error:
        raise StateError(f"{layout.root} cannot be written: {error.strerror}") from error
    try:
        _say_who(layout)
        yield descriptors[0]
    finally:
        with suppress(OSError):
            layout.holder.unlink(missing_ok=True)
        with suppress(OSError):  # it dies with the process in any case
            lock.release()
        os.close(descriptors[0])


def refuse_links(layout: Layout) -> None:
    """Raise StateError where a symlink stands for one of envsync's own directories: what is behind it is not ours."""
    for directory in (layout.own, layout.all_generations, layout.records, layout.cache, layout.adopted):
        if directory.is_symlink():
            raise StateError(
                f"{directory} is a symbolic link, and nothing behind it is touched",
                hint="it must be a real directory; to keep the environments elsewhere, name that place as `root`",
            )


def prepare_cache(layout: Layout) -> bool:
    """Make the root's cache directory; return False where that cannot be (`lock` needs no root that it may write)."""
    if layout.own.is_symlink() or layout.cache.is_symlink():
        return False
    try:
        layout.cache.mkdir(parents=True, exist_ok=True)
        _keep_out_of_git(layout)
    except OSError:
        return False
    return os.access(layout.cache, os.W_OK)


def _keep_out_of_git(layout: Layout) -> None:
    """Write the root's .gitignore: environments are made, never committed. One that is there stays.

    Where anything else is in the root, which may be somebody's own, none is written: it would hide that from git too.
    """
    ignore = layout.root / ".gitignore"
    names = os.listdir(layout.root)
    if ignore.name not in names and all(name == layout.own.name or layout.published_number(name) for name in names):
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


def _timed_out(layout: Layout, timeout: float) -> LockTimeoutError:
    """Say who holds the root: another envsync, or what a killed one started."""
    holders = holders_of(layout)
    if not holders.orphaned:
        return LockTimeoutError(
            f"another envsync holds {layout.root}{_waited(timeout)}: {holders.who}",
            hint="wait for it, or give more time with --lock-timeout",
        )
    orphans = f": {', '.join(holders.orphans)}" if holders.orphans else ""
    return LockTimeoutError(
        f"what a killed envsync started still works in {layout.root}{_waited(timeout)}{orphans}; "
        f"killed was {holders.who}",
        hint="wait for it or end it, or give more time with --lock-timeout",
    )


def _waited(timeout: float) -> str:
    return f", after {timeout:g} seconds of waiting" if timeout > 0 else ""
