"""Every directory and symbolic link on the way to a file, and who besides its user may change one of them.

That is what `StrictModes` of sshd_config(5) examines, for the whole path and through symbolic links: who may change a
directory can replace everything below it.
"""

import errno
import grp
import os
import pwd
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

_MOST_LINKS = 40  # the kernel's own limit
# The group `admin` of macOS: its members may become root, and programs such as Homebrew let it write.
_ADMINISTRATORS = frozenset({80}) if sys.platform == "darwin" else frozenset[int]()


def steps_to(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield every directory and symbolic link on the way to `path` (absolute) from `/` on, then the file there.

    Each comes with its own status, not that of the target of a link. Raises OSError as stat(2) would.
    """
    if not _can_be_a_path(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    reached, links = "/", 0
    yield reached, os.lstat(reached)
    ahead = [*reversed(path.split("/"))]
    while ahead:
        part = ahead.pop()
        if part in {"", "."}:
            continue
        if part == "..":
            reached = reached[: reached.rindex("/")] or "/"
            continue
        step = f"{reached.rstrip('/')}/{part}"
        status = os.lstat(step)
        yield step, status
        if not stat.S_ISLNK(status.st_mode):
            reached = step
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        target = os.readlink(step)  # noqa: PTH115
        reached = "/" if target.startswith("/") else reached
        ahead += reversed(target.split("/"))


def _can_be_a_path(text: str) -> bool:
    """Return whether the system accepts a text as a path; a text from a file may have any characters."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def other_writer(path: str, status: os.stat_result) -> str:
    """Return who may change a file or directory besides root and the user of this process: "user `bob`", or "".

    In a directory with the sticky bit (`/tmp`) only its owner can replace the files of others, so its mode does not
    count. A group counts if it has members besides root and this user.
    """
    ours = {0, os.geteuid()}
    if status.st_uid not in ours:
        return f"user `{user_name(status.st_uid)}`"
    if stat.S_ISLNK(status.st_mode) or (stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX):
        return ""
    return writers_by_mode(path, status)


def writers_by_mode(path: str, status: os.stat_result) -> str:
    """Return to whom besides its owner the mode of a file or directory gives write permission; "" for no other user."""
    if status.st_mode & stat.S_IWOTH:
        return "every user"
    if status.st_mode & stat.S_IWGRP:
        if _has_access_list(path):  # then the bit is that of all entries of the list together
            return "users in its access control list"
        if _others_in_group(status.st_gid, os.geteuid()):
            return f"group `{_group(status.st_gid)}`"
    return ""


def _has_access_list(path: str) -> bool:
    with suppress(OSError, AttributeError):  # macOS has no such function
        return bool(os.getxattr(path, "system.posix_acl_access"))
    return False


@lru_cache
def _others_in_group(group: int, user: int) -> bool:
    """Return whether a group has members besides root and `user`; True for one that the system does not know."""
    if group in _ADMINISTRATORS:
        return False
    try:
        members = grp.getgrgid(group).gr_mem
    except KeyError:
        return True
    ours = {0, user}
    for name in members:
        with suppress(KeyError):
            if pwd.getpwnam(name).pw_uid not in ours:
                return True
    return any(each.pw_gid == group and each.pw_uid not in ours for each in pwd.getpwall())


def user_name(number: int) -> str:
    """Return the name of a user, or the number as text if it has no name."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
