"""The error of a source file or directory that a lock depends on and that cannot be read."""

from pathlib import Path

from reconciler.errors import LockError
from reconciler.fs.os_error_hint import os_error_hint


def unreadable_source(path: Path | str, error: Exception) -> LockError:
    """Return the error to raise for `path`: what the operating system reported, and what to do about it."""
    return LockError(f"{path}: {getattr(error, 'strerror', None) or error}", hint=os_error_hint(error))
