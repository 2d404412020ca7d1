"""Files and directories that are as readable as the directory tree that they are in (`reconciler.fs.access_bits`)."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.fs.access_bits import access_to, missing_bits

_callers: list[int] = []  # the umasks that `umask_of` replaced


def group_to_give(top: str | Path, access: int | None = None) -> int:
    """Return the group that files and directories below `top` must be given, -1 if their group does not matter.

    It matters if only the group of `top` may enter it, and new files would get a different one. `access` is that of
    `top` unless it is given. Raises OSError.
    """
    group = os.stat(top).st_gid  # noqa: PTH116
    return group if (access_to(top) if access is None else access) == 0o050 and group != os.getegid() else -1


def widen(path: str | Path, access: int, group: int = -1) -> bool:
    """Give a file or directory the bits that it lacks, and the group; return whether it lacked any. Raises OSError.

    What is made later in a directory that got the group gets it too (setgid).
    """
    status = os.lstat(path)
    mode = status.st_mode
    missing = missing_bits(mode, access)
    if group not in {-1, status.st_gid}:
        os.chown(path, -1, group, follow_symlinks=False)
        missing |= stat.S_ISGID if stat.S_ISDIR(mode) else 0
        mode = os.lstat(path).st_mode  # the system clears setuid and setgid, which must stay cleared
    if missing:
        os.chmod(path, stat.S_IMODE(mode) | missing)  # noqa: PTH101  # not a symbolic link, which lacks nothing
    return bool(missing) or group not in {-1, status.st_gid}


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
