"""Whether the files below a root may be trusted because of who can write them, in the time of a few system calls.

A root belongs to this user, or to the superuser; no one else may write to it; and git tracks none of its files.
`reconciler.state.root_trust` says what is wrong, and knows the exceptions. Imports only modules that load fast.
"""

from __future__ import annotations

import os

from reconciler.fs.own_files import OWN_DIRECTORY
from reconciler.fs.repository_top import repository_top
from reconciler.fs.user_key import key_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_TYPE, _DIRECTORY = 0o170000, 0o040000  # S_IFMT, S_IFDIR
ROOT_MARK = "root.json"  # `reconciler.state.root_trust` writes it
_SUPERUSER = 0
WRITABLE = 0o022  # by group and others


def is_safe(root: str) -> bool:
    """Return whether a root that exists is safe without an exception; False in every doubt."""
    user = os.geteuid()
    owners = writers_of(root)
    if not owners or any(uid not in {user, _SUPERUSER} or mode & WRITABLE for uid, _, mode in owners):
        return False
    return owners[1][2] & _TYPE == _DIRECTORY and is_untracked(root)


def writers_of(root: str) -> list[list[int]]:
    """Return who may write to a root, to its `.envsync` and to its mark: owner, group and st_mode of each.

    Empty if one of them is missing. The fast path compares them with those of a run that found the root safe.
    """
    own = f"{root}/{OWN_DIRECTORY}"
    try:
        found = (os.stat(root), os.lstat(own), os.lstat(f"{own}/{ROOT_MARK}"))  # noqa: PTH116
    except OSError:
        return []
    return [[each.st_uid, each.st_gid, each.st_mode] for each in found]


def is_untracked(root: str) -> bool:
    """Return whether git tracks neither a file of envsync below a root nor the key of this user."""
    return not tracked_in(root) and not _tracked_below(key_path(), bool)


def tracked_in(root: str) -> str:
    """Return a path that git tracks in place of a file of envsync below a root, empty if there is none.

    Other files of the user may be tracked: a root may be the directory of the manifest.
    """

    def counts(path: str) -> bool:
        first = path.partition("/")[0]
        if first in {".", OWN_DIRECTORY}:
            return True
        try:
            return os.readlink(f"{root}/{first}").startswith(f"{OWN_DIRECTORY}/")  # noqa: PTH115
        except OSError:
            return False

    return _tracked_below(root, counts)


def _tracked_below(path: str, counts: Callable[[str], bool]) -> str:
    """Return the same as `tracked_below`, which is imported only if the path is in a repository."""
    if repository_top(path) is None and repository_top(os.path.realpath(path)) is None:
        return ""
    from reconciler.git.tracked_below import tracked_below

    return tracked_below(path, counts)
