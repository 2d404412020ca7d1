"""Reads and writes lock files (PEP 751, TOML), one for each environment: `<locks>/pylock.<name>.toml`."""

import hashlib
from functools import lru_cache
from pathlib import Path

import tomli
from packaging.pylock import Pylock, PylockUnsupportedVersionError, PylockValidationError

from reconciler.errors import LockError
from reconciler.fs.atomic_write import write_atomic
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.fs.read import read_regular, reason
from reconciler.lock.model import Lock, ParsedLock
from reconciler.lock.toml_format import lock_text

LARGEST_BYTES = 64 * 1024 * 1024


def lock_path(locks: Path, environment: str) -> Path:
    """Return the path of an environment's lock."""
    return locks / f"pylock.{environment}.toml"


def read_lock(path: Path, environment: str) -> Lock | None:
    """Return the lock at `path`, or None if there is none; raises LockError if it is not a PEP 751 file."""
    try:
        text = read_regular(path, limit=LARGEST_BYTES, follow=True).decode("utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LockError(f"{path}: {reason(error)}", hint=os_error_hint(error)) from error
    except UnicodeDecodeError as error:
        raise LockError(f"{path}: not UTF-8", hint=f"delete it and run `envsync lock {environment}`") from error
    return parse_lock(text, path, environment)


def parse_lock(text: str, path: Path, environment: str) -> Lock:
    """Parse and validate a lock's text; raises LockError naming `path` and what is wrong."""
    try:
        parsed = parsed_lock(text)
    except (ValueError, RecursionError, PylockValidationError, PylockUnsupportedVersionError) as error:
        hint = f"delete it and run `envsync lock {environment}`"
        raise LockError(f"{path}: not a valid lock: {error}", hint=hint) from error
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

    Raises ValueError, RecursionError, PylockValidationError or PylockUnsupportedVersionError.
    """
    document = tomli.loads(text)
    return ParsedLock(
        document=document,
        pylock=Pylock.from_dict(document),
        digest="sha256:" + hashlib.sha256(text.encode("utf-8")).hexdigest(),
    )


def write_lock(lock: Lock) -> None:
    """Write a lock to its path, atomically; raises LockError if that fails."""
    try:
        lock.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(lock.path, lock_text(lock.document).encode("utf-8"))
    except OSError as error:
        raise LockError(f"`{lock.path}` could not be written: {error.strerror}", hint=os_error_hint(error)) from error
