"""Reads the JSON files of the state: records and seals. A file that cannot be read is never taken for a missing one."""

import errno
import json
from pathlib import Path
from typing import Any

from reconciler.errors import DamagedStateError, NewerFormatError, StateError
from reconciler.fs.os_error_hint import os_error_hint

_DAMAGE = frozenset({errno.EISDIR, errno.ELOOP})  # something else is in the file's place


def read_state_file(path: Path, known: int, *, hint: str) -> tuple[bytes, dict[str, Any]] | None:
    """Return the bytes of a state file and the object in it, None if the file is missing.

    `known` is the newest format that we read, `hint` what to do about damage. Raises NewerFormatError,
    DamagedStateError, or StateError if the system does not let us read it.
    """
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
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
    return content, stored
