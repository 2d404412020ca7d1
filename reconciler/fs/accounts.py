"""Users and groups of the system: their names, and who is a member of a group."""

import grp
import pwd
import sys
from contextlib import suppress
from functools import lru_cache

SUPERUSER = 0
# The group `admin` of macOS: its members may become root, and programs such as Homebrew let it write.
_ADMINISTRATORS = frozenset({80}) if sys.platform == "darwin" else frozenset[int]()


def user_name(number: int) -> str:
    """Return the name of a user, or the number as text if it has no name."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # a container may have such users
        return str(number)


def group_name(number: int) -> str:
    """Return the name of a group, or the number as text if it has no name."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def sudo_user(number: int) -> str:
    """Return a user as `sudo -u` accepts it: its name, or `#` and the number if it has no name."""
    name = user_name(number)
    return f"#{number}" if name == str(number) else name


@lru_cache
def has_other_members(group: int, user: int) -> bool:
    """Return whether a group has members besides root and `user`; True for one that the system does not know.

    If it is the primary group of `user`, it must also have the name of the user, as a private group has: a directory
    service may not list who else is in a group that many users share (`domain users`).
    """
    if group in _ADMINISTRATORS:
        return False
    try:
        found = grp.getgrgid(group)
    except KeyError:
        return True
    ours = {SUPERUSER, user}
    for name in found.gr_mem:
        try:
            if pwd.getpwnam(name).pw_uid not in ours:
                return True
        except KeyError:  # such a user cannot log in
            continue
    with suppress(KeyError):
        own = pwd.getpwuid(user)
        if own.pw_gid == group and own.pw_name != found.gr_name:
            return True
    return any(each.pw_gid == group and each.pw_uid not in ours for each in pwd.getpwall())
