"""Reads and writes lock files (PEP 751, TOML), one for each environment: `<locks>/pylock.<name>.toml`."""

import hashlib
import re
from functools import lru_cache
from pathlib import Path

from packaging.pylock import Pylock, PylockUnsupportedVersionError, PylockValidationError

from reconciler.errors import LockError, LockWriteError, NewerFormatError, NewerLockError, RefusedLockError
from reconciler.fs.access import make_users_directory
from reconciler.fs.atomic_write import write_users_file
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.lock.local_paths import require_local_paths
from reconciler.lock.lock_toml import parse_lock_toml
from reconciler.lock.model import Lock, ParsedLock, lock_file_name
from reconciler.lock.toml_format import lock_text
from reconciler.manifest.input_files import LARGEST_LOCK
from reconciler.manifest.reach import Reach, reach_of
from reconciler.manifest.source_text import NOT_SHOWN
from reconciler.manifest.text_file import UnreadableFileError

_LONGEST_MESSAGE = 1000  # characters; the text of an error may contain a value of the file


class _NewerVersionError(Exception):
    """A lock has a major version that this program does not know."""


def lock_path(locks: Path, environment: str) -> Path:
    """Return the path of an environment's lock."""
    return locks / lock_file_name(environment)


def read_lock(path: Path, environment: str, reach: Reach | None, *, names_any_path: bool = False) -> Lock | None:
    """Return the lock at `path`, or None if there is none. Without `reach`, links must not leave its repository.

    Raises LockError if it cannot be read or is not a PEP 751 file, NewerLockError if its format is newer, and unless it
    `names_any_path`, RefusedLockError if it names a file or directory that the manifest may not name.
    """
    reach = reach or reach_of(path.parent)
    try:
        text = reach.read(path, limit=LARGEST_LOCK).decode("utf-8")
    except UnreadableFileError as error:
        if error.missing:
            return None
        raise LockError(f"{path}: {error.message}", hint=error.hint or None) from error
    except UnicodeDecodeError as error:
        raise LockError(f"{path}: not UTF-8", hint=f"delete it and run `envsync lock {environment}`") from error
    try:
        lock = parse_lock(text, path, environment)
    except LockError as error:
        if reach.may_quote(path):
            raise
        raise type(error)(f"{path}: {NOT_SHOWN}", hint=error.hint) from error
    if not names_any_path:
        try:
            require_local_paths(lock.document["packages"], path.parent, reach, str(path))
        except LockError as error:  # the manifest has no such path, or its own error would come first
            raise RefusedLockError(error.message, hint=f"run `envsync lock {environment}`") from error
    return lock


def parse_lock(text: str, path: Path, environment: str) -> Lock:
    """Parse and validate a lock's text; raises LockError or NewerLockError, which name `path` and what is wrong."""
    try:
        parsed = parsed_lock(text)
    except _NewerVersionError as error:
        raise NewerLockError(f"`{path}` was made by a newer envsync: {error}", hint=NewerFormatError.cure) from error
    except (ValueError, RecursionError, PylockValidationError, PylockUnsupportedVersionError) as error:
        hint = f"delete it and run `envsync lock {environment}`"
        words = str(error)
        words = words if len(words) <= _LONGEST_MESSAGE else f"{words[:_LONGEST_MESSAGE]}..."
        raise LockError(f"{path}: not a valid lock: {words}", hint=hint) from error
    own = parsed.document.get("tool", {}).get("envsync", {})
    inputs = own.get("inputs") if isinstance(own, dict) else None
    return Lock(
        environment=environment,
        path=path,
        document=parsed.document,
        inputs=inputs if isinstance(inputs, str) else None,
        digest=parsed.digest,
        parsed=parsed,
    )


@lru_cache(maxsize=256)
def parsed_lock(text: str) -> ParsedLock:
    """Parse a lock's text, once for all environments with the same lock.

    Raises ValueError, RecursionError, PylockValidationError, PylockUnsupportedVersionError or _NewerVersionError.
    """
    document = parse_lock_toml(text)
    version = document.get("lock-version")
    if isinstance(version, str) and re.match(r"([2-9]|[1-9][0-9]+)(\.|$)", version):
        raise _NewerVersionError(f"its `lock-version` is {version}, but this envsync reads 1.0")
    return ParsedLock(
        document=document,
        pylock=Pylock.from_dict(document),
        digest="sha256:" + hashlib.sha256(text.encode("utf-8")).hexdigest(),
    )


def write_lock(lock: Lock) -> None:
    """Write a lock to its path, atomically; raises LockWriteError."""
    try:
        make_users_directory(lock.path.parent)
        write_users_file(lock.path, lock_text(lock.document).encode("utf-8"))
    except OSError as error:
        what = f"`{lock.path}` could not be written: {error.strerror}"
        raise LockWriteError(what, hint=os_error_hint(error)) from error
