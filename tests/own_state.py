"""A directory for what envsync keeps for its user (the key, the trusted roots), so that no test uses the real one.

Every process of a test run has the same, through the variable `XDG_STATE_HOME`: `tests/conftest.py` sets it before a
test is collected, and `tests.host.base_environment` passes it on.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from reconciler.fs.user_key import state_directory

_PREFIX = "envsync-tests-state-"


def use_own_state() -> Path | None:
    """Set `XDG_STATE_HOME` to a new directory that is deleted at the end of this process.

    Returns the directory that envsync would have used otherwise. None if a process above this one has set it already.
    """
    if Path(os.environ.get("XDG_STATE_HOME", "")).name.startswith(_PREFIX):
        return None
    real = Path(state_directory())
    own = tempfile.mkdtemp(prefix=_PREFIX)
    atexit.register(_delete, own, os.getpid())
    os.environ["XDG_STATE_HOME"] = own
    return real


def _delete(directory: str, process: int) -> None:
    if os.getpid() == process:  # a fork of it runs this function too
        shutil.rmtree(directory, ignore_errors=True)


def signature(directory: Path) -> dict[str, tuple[int, ...]]:
    """Return what a write in a directory changes: inode, size, mtime and ctime of it and of its entries."""
    found: dict[str, tuple[int, ...]] = {}
    for path in (directory, *(sorted(directory.iterdir()) if directory.is_dir() else ())):
        if path.exists():
            status = path.lstat()
            found[str(path)] = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return found
