"""The root mutex: one apply at a time in a root.

It is a file lock of the operating system, so that it is released when its process ends. A file next to it says which
process holds it.
"""

import datetime as dt
import fcntl
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from reconciler.errors import LockTimeoutError, RootOwnerError, StateError
from reconciler.fs.access import is_own, make_cache_directory, umask_of
from reconciler.fs.access_bits import access_to
from reconciler.fs.accounts import sudo_user
from reconciler.fs.atomic_write import write_atomic
from reconciler.fs.file_lock import has_no_locks, lock_file, unlock_file
from reconciler.fs.file_system import Ability
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.fs.own_files import open_own
from reconciler.state.layout import Layout
from reconciler.state.open_state import open_state
from reconciler.state.root_file_system import has_locks, refuse_unsuitable, unsuitable
from reconciler.state.root_mutex_holder import find_holder
from reconciler.state.root_trust import make_own_directory, refuse_symlinks

DEFAULT_TIMEOUT_SECONDS = 60.0


@contextmanager
def acquire_root_mutex(layout: Layout, *, timeout: float) -> Iterator[int]:
    """Hold the root mutex while the block runs, and yield its descriptor; wait at most `timeout` seconds for it.

    A child process that keeps the descriptor open keeps the mutex, even if this process is killed. While the block
    runs, new files and directories get the access of the root, whatever the umask was. Raises LockTimeoutError, which
    names the holder, RootOwnerError if the root belongs to a different user, or StateError if the root cannot be
    written or has symbolic links in the place of envsync's own directories.
    """
    refuse_symlinks(layout)
    refuse_other_owner(layout)
    try:
        layout.root.mkdir(parents=True, exist_ok=True)
    except FileExistsError:  # a file; the next step says so
        pass
    except OSError as error:
        raise _not_writable(layout, error) from error
    with umask_of(access_to(layout.root)), _hold(layout, timeout) as descriptor:
        open_state(layout)
        yield descriptor


@contextmanager
def _hold(layout: Layout, timeout: float) -> Iterator[int]:
    """Hold the mutex in an existing root while the block runs, and yield its descriptor."""
    try:
        make_own_directory(layout)
        make_cache_directory(layout.cache)
        _write_gitignore(layout)
        refuse_unsuitable(layout)
        # Only the owner opens it: a user who can open a file can lock it, and keep every apply waiting.
        descriptor = open_own(str(layout.mutex), os.O_RDWR | os.O_CREAT, 0o600)
        locked = _lock(layout, descriptor, timeout)
    except OSError as error:
        raise _not_writable(layout, error) from error
    if not locked:
        raise _timeout_error(layout, timeout)
    try:
        _write_holder(layout)
        yield descriptor
    finally:
        with suppress(OSError):
            layout.mutex_holder.unlink(missing_ok=True)
        with suppress(OSError):
            unlock_file(descriptor)  # a child may still have it open
        os.close(descriptor)


def _lock(layout: Layout, descriptor: int, timeout: float) -> bool:
    """Lock the open mutex, which is closed if that fails; return False if another process has it for too long."""
    locked = False
    try:
        locked = lock_file(descriptor, fcntl.LOCK_EX, timeout)
    except OSError as error:
        if has_no_locks(error):  # they worked when the file system was tried
            raise unsuitable(layout, (Ability.LOCKS,)) from error
        raise
    finally:
        if not locked:
            os.close(descriptor)
    return locked


def _not_writable(layout: Layout, error: OSError) -> StateError:
    return StateError(f"`{layout.root}` could not be written: {error.strerror}", hint=os_error_hint(error))


def refuse_other_owner(layout: Layout) -> None:
    """Raise RootOwnerError if the root exists and belongs to a different user, even if this one may write to it.

    The owner could not read or replace the files of this user, and every later run of the owner would fail.
    """
    try:
        owner = layout.root.stat().st_uid
    except OSError:  # it does not exist, or the next step says what is wrong
        return
    user = os.geteuid()
    if owner == user:
        return
    theirs, ours = sudo_user(owner), sudo_user(user)
    raise RootOwnerError(
        f"`{layout.root}` belongs to {theirs}, and you are {ours}",
        hint=f"run the command as its owner (`sudo -u {theirs} envsync ...`), or change the owner: "
        f"`chown -R {ours} {layout.root}`",
    )


def prepare_cache(layout: Layout) -> bool:
    """Create the root's cache directory; return False if it cannot be created, or must not be written."""
    if layout.envsync_directory.is_symlink() or layout.cache.is_symlink():
        return False
    if layout.root.exists() and not is_own(layout.root):
        return False
    try:
        layout.root.mkdir(parents=True, exist_ok=True)
        make_own_directory(layout)
        make_cache_directory(layout.cache)
        _write_gitignore(layout)
    except OSError:
        return False
    return may_write_cache(layout)


def may_write_cache(layout: Layout) -> bool:
    """Return whether the root's cache exists, belongs to this user, is writable, and has the locks that engines need.

    envsync never writes into the cache of a different user, who could not replace such a file.
    """
    return is_own(layout.cache) and os.access(layout.cache, os.W_OK) and has_locks(layout)


def _write_gitignore(layout: Layout) -> None:
    """Write the root's .gitignore, because environments are never committed; an existing file is kept.

    If the root has other files, none is written: it would hide the user's files from git too.
    """
    ignore = layout.root / ".gitignore"
    names = os.listdir(layout.root)
    own = layout.envsync_directory.name
    if ignore.name not in names and all(
        name == own or layout.published_number(name) or layout.renamed_to(name) for name in names
    ):
        write_atomic(ignore, b"*\n")


def _write_holder(layout: Layout) -> None:
    """Write which process holds the mutex; only messages need it, so a failure is ignored."""
    holder = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": dt.datetime.now(dt.UTC).replace(microsecond=0).isoformat(),
        "command": " ".join(os.path.basename(part) for part in sys.argv[:2]),  # noqa: PTH119  # not the user's paths
    }
    with suppress(OSError):
        write_atomic(layout.mutex_holder, json.dumps(holder).encode("ascii"))


def _timeout_error(layout: Layout, timeout: float) -> LockTimeoutError:
    """Return an error that names the process that holds the mutex: another envsync, or children of a killed one."""
    holder = find_holder(layout)
    waited = f" (waited {timeout:g} seconds)" if timeout > 0 else ""
    if not holder.orphaned:
        return LockTimeoutError(
            f"`{layout.root}` is locked by another envsync{waited}: {holder.description}",
            hint="wait until it ends, or wait longer with `--lock-timeout`",
        )
    orphans = f": {', '.join(holder.orphans)}" if holder.orphans else ""
    return LockTimeoutError(
        f"`{layout.root}` is locked by programs that a killed envsync started{waited}{orphans}; "
        f"the killed envsync was {holder.description}",
        hint="wait until they end, or end them, or wait longer with `--lock-timeout`",
    )
