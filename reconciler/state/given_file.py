"""Reads a file that somebody named on the command line, and that anybody may have written: regular, and not endless."""

import errno
import os
import stat
from pathlib import Path


def read_given_file(path: Path, *, largest: int) -> bytes:
    """Return what a regular file of at most `largest` bytes holds; raises ValueError with the reason otherwise."""
    try:
        # O_NONBLOCK: a named pipe that nobody writes to must not be waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except ValueError as error:  # a NUL in the name
        raise ValueError("no such file") from error
    except OSError as error:
        raise ValueError(_reason(error)) from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = b"" if found.st_size > largest else file.read(largest + 1)
    except OSError as error:
        raise ValueError(_reason(error)) from error
    finally:
        os.close(descriptor)
    if found.st_size > largest or len(content) > largest:
        raise ValueError(f"larger than {largest // 1024**2} MiB")
    return content


def _reason(error: OSError) -> str:
    return "no such file" if error.errno == errno.ENOENT else (error.strerror or "unreadable").lower()
