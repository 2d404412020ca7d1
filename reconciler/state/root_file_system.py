"""Refuses a root on a file system that cannot hold environments, and remembers what that of a root can do."""

import os
from contextlib import suppress
from pathlib import Path

from reconciler.canonical_json import to_json
from reconciler.errors import RootFileSystemError
from reconciler.fs.atomic_write import write_cache
from reconciler.fs.authentic_json import authentic_json, read_authentic_json
from reconciler.fs.file_system import Ability, FileSystem, probe_file_system
from reconciler.fs.mounts import file_system_kind
from reconciler.state.layout import Layout

SUITABLE_HINT = "set `root` to a directory on a local file system, such as ext4, xfs, btrfs or APFS"


def root_file_system(layout: Layout) -> FileSystem:
    """Return what the file system of a root can do: as remembered, or found out in its cache directory, which exists.

    Raises OSError if it is not known and the directory cannot be written.
    """
    identity = _identity(layout.cache)
    remembered = _remembered(layout.file_system, identity)
    if remembered is not None:
        return remembered
    found = probe_file_system(layout.cache)
    if found.missing:  # an error may have passed by the next run
        return found
    stored = {"identity": identity, "kind": found.kind, "abilities": to_json(found.abilities)}
    with suppress(OSError):  # then it is found out again
        write_cache(layout.file_system, authentic_json(str(layout.file_system), stored))
    return found


def refuse_unsuitable(layout: Layout) -> None:
    """Raise RootFileSystemError if the file system of a root lacks what envsync needs; raises OSError as above."""
    if not layout.cache.is_dir():  # a file in its place: what uses the cache says so
        return
    found = root_file_system(layout)
    if found.missing:
        raise unsuitable(layout, found.missing)


def unsuitable(layout: Layout, missing: tuple[Ability, ...]) -> RootFileSystemError:
    """Return the error of a root whose file system lacks abilities, with its kind if that is known."""
    kind = file_system_kind(layout.root)
    return RootFileSystemError(
        f"{' and '.join(missing)} do not work on the file system of `{layout.root}`{f' ({kind})' if kind else ''}",
        hint=SUITABLE_HINT,
    )


def has_locks(layout: Layout) -> bool:
    """Return whether file locks work in the cache directory of a root, which exists and may be written."""
    try:
        return root_file_system(layout).abilities[Ability.LOCKS]
    except OSError:
        return False


def _remembered(path: Path, identity: str) -> FileSystem | None:
    try:
        stored = read_authentic_json(str(path))
        if stored["identity"] != identity:
            return None
        return FileSystem(
            kind=str(stored["kind"]), abilities={each: stored["abilities"][each] is True for each in Ability}
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _identity(directory: Path) -> str:
    """Return what changes if another file system is mounted there, or the same one with other options."""
    status, mount = directory.stat(), os.statvfs(directory)
    return f"{status.st_dev} {mount.f_fsid} {mount.f_flag} {os.uname().release}"
