"""Reads and writes lock files (PEP 751, TOML), one an environment: `<locks>/pylock.<name>.toml`."""

import stat
from pathlib import Path

from packaging.pylock import PylockUnsupportedVersionError, PylockValidationError

from reconciler.errors import LockError
from reconciler.fs.atomic_write import write_atomic
from reconciler.lock.model import Lock
from reconciler.lock.parsed import parsed_lock
from reconciler.lock.toml_format import lock_text

LARGEST_BYTES = 64 * 1024 * 1024


def lock_path(locks: Path, environment: str) -> Path:
    """Return where an environment's lock lives."""
    return locks / f"pylock.{environment}.toml"


def read_lock(path: Path, environment: str) -> Lock | None:
    """Return the lock at `path`, or None if there is none; raises LockError where it is no PEP 751 file."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise LockError(f"{path}: not a regular file")
        if status.st_size > LARGEST_BYTES:
            raise LockError(f"{path}: over {LARGEST_BYTES // 1024 // 1024} MiB")
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LockError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LockError(f"{path}: not UTF-8") from error
    return parse_lock(text, path, environment)


def parse_lock(text: str, path: Path, environment: str) -> Lock:
    """Parse and validate a lock's text; raises LockError naming `path` and what is wrong."""
    try:
        parsed = parsed_lock(text)
    except (ValueError, RecursionError, PylockValidationError, PylockUnsupportedVersionError) as error:
        raise LockError(f"{path}: {error}", hint=f"write it anew with `envsync lock {environment}`") from error
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


def write_lock(lock: Lock) -> None:
    """Write a lock to its path, atomically; raises LockError where that cannot be."""
    try:
        lock.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(lock.path, lock_text(lock.document).encode("utf-8"))
    except OSError as error:
        raise LockError(f"{lock.path} could not be written: {error.strerror}") from error
