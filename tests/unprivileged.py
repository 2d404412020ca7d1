"""Runs a block without the privileges of the superuser, for tests of missing permissions."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.fs.authentication import forget_roots

_USER_ID = 65534  # a user without any files


@contextmanager
def unprivileged() -> Iterator[None]:
    """Run the block as a user without privileges, if the tests run as root.

    What this process found out about roots as the other user does not count: a user knows only its own key.
    """
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(_USER_ID)
    forget_roots()
    try:
        yield
    finally:
        os.seteuid(0)
        forget_roots()


@contextmanager
def reachable_directory() -> Iterator[Path]:
    """Yield a new directory that such a user can reach and read, unlike the directories of pytest."""
    with tempfile.TemporaryDirectory(prefix="envsync-test-") as path:
        Path(path).chmod(0o755)
        yield Path(path).resolve()
