"""Who may write to a file or directory besides its user and root: its owner, a group, an access list, or everyone.

Someone who may write to a directory can replace everything in it, and so can decide what runs from there.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from reconciler.fs.accounts import SUPERUSER, group_name, has_other_members, user_name

_ACCESS_LIST = "system.posix_acl_access"
_VERSION_BYTES, _ENTRY_BYTES = 4, 8  # of the list, which is little-endian (linux/posix_acl_xattr.h)
_OF_A_USER, _OF_THE_GROUP, _OF_A_GROUP = 0x02, 0x04, 0x08  # tags of entries
_WRITE = 0o2


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Someone who may write. `number` is that of a user for `owner`, and that of a group for `group`."""

    by: Literal["owner", "group", "access list", "everyone"]
    number: int = -1

    def __str__(self) -> str:
        match self.by:
            case "owner":
                return f"user `{user_name(self.number)}`"
            case "group":
                return f"the group `{group_name(self.number)}`"
            case "access list":
                return "users in its access control list"
            case "everyone":
                return "every user"


def other_writer(path: str, status: os.stat_result) -> Writer | None:
    """Return who may change a step on the way to a file, besides root and the user of this process.

    In a directory with the sticky bit (`/tmp`) only its owner can replace the files of others, so its mode does not
    count.
    """
    user = os.geteuid()
    if status.st_uid not in {SUPERUSER, user}:
        return Writer(by="owner", number=status.st_uid)
    if stat.S_ISLNK(status.st_mode) or (stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX):
        return None
    return writer_by_mode(path, status, user)


def writer_by_mode(path: str, status: os.stat_result, user: int, *, trusted: int | None = None) -> Writer | None:
    """Return to whom besides root, its owner and `user` the mode of a file or directory gives write permission.

    A group counts if it has members besides root and `user`, unless it is the group `trusted`. Entries of an access
    control list count as users and groups do.
    """
    if status.st_mode & stat.S_IWOTH:
        return Writer(by="everyone")
    if not status.st_mode & stat.S_IWGRP:
        return None  # if there is a list, the bit is its mask, which limits all entries
    entries = list(_writing_entries(path))
    for tag, number in entries:
        if (tag == _OF_A_USER and number not in {SUPERUSER, status.st_uid, user}) or (
            tag == _OF_A_GROUP and number != trusted and has_other_members(number, user)
        ):
            return Writer(by="access list")
    if entries and all(tag != _OF_THE_GROUP for tag, _ in entries):
        return None
    if status.st_gid == trusted or not has_other_members(status.st_gid, user):
        return None
    return Writer(by="group", number=status.st_gid)


def _writing_entries(path: str) -> Iterator[tuple[int, int]]:
    """Yield the tag and the number of each entry of an access control list that permits to write, if there is one."""
    content = b""
    with suppress(OSError, AttributeError):  # macOS has no such function
        content = os.getxattr(path, _ACCESS_LIST)
    for start in range(_VERSION_BYTES, len(content) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
        entry = content[start : start + _ENTRY_BYTES]
        if entry[2] & _WRITE:
            yield int.from_bytes(entry[:2], "little"), int.from_bytes(entry[4:], "little")
