"""Writes and reads the JSON files of the state, such as records and seals.

Each has a code that only the key of its user can make (`reconciler.fs.authentication`): a file that something else
wrote is damaged. A file that cannot be read is never taken for a missing one.
"""

import errno
import json
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

from reconciler.canonical_json import Json
from reconciler.errors import DamagedStateError, NewerFormatError, StateError
from reconciler.fs.atomic_write import replacing
from reconciler.fs.authentic_json import NotAuthenticError, authentic_json, require_authentic
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.fs.own_files import OWN_DIRECTORY, read_own, split_own

LARGEST = 16 * 1024 * 1024  # bytes; a record with 10,000 packages has 5 MB
# Something else is in the file's place.
_DAMAGE = frozenset({errno.EISDIR, errno.ELOOP, errno.ENOTDIR, errno.EINVAL, errno.EFBIG, errno.ENXIO})


def write_state_file(path: Path, stored: Mapping[str, Json]) -> None:
    """Write a state file atomically and durably, with its code; raises OSError."""
    with replacing_state_file(path, stored):
        pass


@contextmanager
def replacing_state_file(path: Path, stored: Mapping[str, Json]) -> Iterator[None]:
    """Write a state file that takes effect when the block ends (`reconciler.fs.atomic_write.replacing`)."""
    with replacing(path, authentic_json(str(path), stored)):
        yield


def read_state_file(path: Path, known: int, *, hint: str | None) -> dict[str, Any] | None:
    """Return the object in a state file without its code, None if the file is missing.

    `known` is the newest format that we read, `hint` what to do about damage. Raises NewerFormatError,
    DamagedStateError, or StateError if the system does not let us read it.
    """
    try:
        content = read_own(str(path), limit=LARGEST)
    except FileNotFoundError:
        return None
    except OSError as error:
        if step := _wrong_step(path):
            raise _damaged_way(path, step) from error
        if error.errno in _DAMAGE:
            raise DamagedStateError(f"`{path}` is damaged: {error.strerror}", hint=hint) from error
        raise StateError(f"`{path}` could not be read: {error.strerror}", hint=os_error_hint(error)) from error
    try:
        stored = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DamagedStateError(f"`{path}` is damaged: {error}", hint=hint) from error
    found = stored.get("format") if isinstance(stored, dict) else None
    found = None if isinstance(found, bool) else found
    if isinstance(found, int) and found > known:
        raise NewerFormatError(
            f"`{path}` was made by a newer envsync: its format is {found}, but this envsync reads format {known}",
            hint=NewerFormatError.cure,
        )
    if not isinstance(stored, dict) or found not in range(1, known + 1):
        raise DamagedStateError(f"`{path}` is damaged: it has no known format", hint=hint)
    try:
        return require_authentic(str(path), stored)
    except NotAuthenticError as error:
        raise DamagedStateError(f"`{path}` is damaged: {error}", hint=hint) from error


def _wrong_step(path: Path) -> Path | None:
    """Return what is in the place of a directory on the way to a state file, None if all are directories."""
    root, place = split_own(str(path))
    own = Path(root, OWN_DIRECTORY)
    steps = [own, *reversed([own / each for each in PurePath(place).parents][:-1])] if root else []
    return next((each for each in steps if _is_no_directory(each)), None)


def _is_no_directory(path: Path) -> bool:
    """Return whether something else is at a path; False if the user may not look at it, which is a different error."""
    try:
        return not stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _damaged_way(path: Path, step: Path) -> DamagedStateError:
    if step.is_symlink():
        hint = f"replace the symbolic link `{step}` with the directory that it points to"
        return DamagedStateError(f"`{path}` is damaged: `{step}` is a symbolic link", hint=hint)
    return DamagedStateError(
        f"`{path}` is damaged: `{step}` is not a directory", hint=f"restore the directory `{step}` from a backup"
    )
