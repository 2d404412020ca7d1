"""A scratch directory for what a program is given and says; in the system's temporary directory, never in a root."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_directory(prefix: str = "envsync-") -> Iterator[Path]:
    """Yield an empty directory, and delete it afterwards; what cannot be deleted is left to the system.

    Not `TemporaryDirectory`: where a file may not be deleted, that recurses without end (CPython 3.11). Raises OSError,
    with a path, where none can be made or written into.
    """
    directory = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield directory
    except OSError as error:
        if error.filename is None and error.errno:  # a write says no path: a full directory is to be named
            raise OSError(error.errno, error.strerror, str(directory)) from error
        raise
    finally:
        shutil.rmtree(directory, ignore_errors=True)
