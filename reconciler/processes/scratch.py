"""A temporary directory for the input and output of a program; never inside a root."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_directory(prefix: str = "envsync-") -> Iterator[Path]:
    """Yield an empty directory, and delete it afterwards; files that cannot be deleted stay.

    `TemporaryDirectory` recurses without end if a file cannot be deleted (CPython 3.11). Raises OSError with a path if
    the directory cannot be created or written to.
    """
    directory = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield directory
    except OSError as error:
        if error.filename is None and error.errno:  # a failed write has no path: name the directory
            raise OSError(error.errno, error.strerror, str(directory)) from error
        raise
    finally:
        shutil.rmtree(directory, ignore_errors=True)
