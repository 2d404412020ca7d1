"""Files and directories that are as readable as the directory tree that they are in (`reconciler.fs.access_bits`)."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.fs.access_bits import access_to, missing_bits

_callers: list[int] = []  # the umasks that `umask_of` replaced


def widen(path: str | Path, access: int) -> bool:
    """Give a file or directory the bits that it lacks; return whether it lacked any. Raises OSError."""
    mode = os.lstat(path).st_mode
    missing = missing_bits(mode, access)
    if missing:
        os.chmod(path, stat.S_IMODE(mode) | missing)  # noqa: PTH101  # not a symbolic link, which lacks nothing
    return bool(missing)


@contextmanager
def umask_of(access: int) -> Iterator[None]:
    """Let new files and directories have this access while the block runs: it sets the umask of the whole process."""
    _callers.append(os.umask(0o077 & ~access))
    try:
        yield
    finally:
        os.umask(_callers.pop())


def callers_umask() -> int:
    """Return the umask that the process was started with, for files of the user: -1 if it is in force anyway."""
    return _callers[0] if _callers else -1


def make_users_directory(path: Path) -> None:
    """Make a directory of the user and its parents, with the umask of the user. Raises OSError."""
    if path.is_dir():
        return
    if not path.parent.is_dir():
        make_users_directory(path.parent)
    path.mkdir(exist_ok=True)
    if callers_umask() >= 0:
        path.chmod(0o777 & ~callers_umask())


def is_own(path: str | Path) -> bool:
    """Return whether a file or directory exists and belongs to the user of this process."""
    try:
        return os.stat(path).st_uid == os.geteuid()  # noqa: PTH116
    except OSError:
        return False


def make_cache_directory(path: Path) -> None:
    """Make a directory with the access of the one that it is in; its parents are made too. Raises OSError."""
    try:
        path.mkdir()
    except FileExistsError:
        return
    except FileNotFoundError:
        make_cache_directory(path.parent)
        path.mkdir(exist_ok=True)
    widen(path, access_to(path.parent))
