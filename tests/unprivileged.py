"""For tests of what may not be read or written: root may do everything, so that it steps down for a moment."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NOBODY = 65534


@contextmanager
def unprivileged() -> Iterator[None]:
    """Run the block as a user without privileges, where the tests are run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def reachable_directory() -> Iterator[Path]:
    """Yield a new directory that such a user can reach and read (pytest's own is its user's alone)."""
    with tempfile.TemporaryDirectory(prefix="envsync-test-") as path:
        Path(path).chmod(0o755)
        yield Path(path).resolve()
