"""Runs a block without the privileges of the superuser, for tests of missing permissions."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_USER_ID = 65534  # a user without any files


@contextmanager
def unprivileged() -> Iterator[None]:
    """Run the block as a user without privileges, if the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(_USER_ID)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def reachable_directory() -> Iterator[Path]:
    """Yield a new directory that such a user can reach and read, unlike the directories of pytest."""
    with tempfile.TemporaryDirectory(prefix="envsync-test-") as path:
        Path(path).chmod(0o755)
        yield Path(path).resolve()
