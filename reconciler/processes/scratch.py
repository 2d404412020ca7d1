"""A temporary directory for the input and output of a program; never inside a root."""

import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reconciler.fs.atomic_write import process_exists
from reconciler.fs.remove_tree import remove_tree

_NAME = re.compile(r"envsync-(?:[a-z]+-)?([1-9][0-9]*)-[a-z0-9_]{8}")  # the process that made it, and a random part


@contextmanager
def scratch_directory(kind: str = "") -> Iterator[Path]:
    """Yield an empty directory, and delete it afterwards; files that cannot be deleted stay.

    Its name has `kind` (a word) and our process number, and it is locked, so that `clear_scratch` recognizes those of
    killed processes. `TemporaryDirectory` recurses without end if a file cannot be deleted (CPython 3.11). Raises
    OSError with a path if the directory cannot be created or written to.
    """
    directory = Path(tempfile.mkdtemp(prefix=f"envsync-{kind}-{os.getpid()}-" if kind else f"envsync-{os.getpid()}-"))
    locked = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some network file systems have no locks; the process number still protects it
            fcntl.flock(locked, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield directory
    except OSError as error:
        if error.filename is None and error.errno:  # a failed write has no path: name the directory
            raise OSError(error.errno, error.strerror, str(directory)) from error
        raise
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(locked)


def scratch_parent() -> str:
    """Return the real path of the directory in which scratch directories are made, empty if none can be written."""
    try:
        return os.path.realpath(tempfile.gettempdir())
    except FileNotFoundError:  # none of the usual ones, nor the working directory
        return ""


def clear_scratch() -> list[Path]:
    """Delete the scratch directories that killed processes of this user left, and return them.

    A directory is deleted only if no process has the number in its name and nothing holds its lock: a process in
    another container, which shares the temporary directory, has a number that means nothing here.
    """
    place = Path(tempfile.gettempdir())
    cleared = []
    with suppress(OSError), os.scandir(place) as entries:
        for each in entries:
            maker = _NAME.fullmatch(each.name)
            if maker and each.is_dir(follow_symlinks=False) and not process_exists(int(maker[1])):
                with suppress(OSError):
                    remove_tree(place, each.name, check=_refuse_used)
                    cleared.append(Path(each.path))
    return cleared


def _refuse_used(directory: int) -> None:
    """Raise OSError if a scratch directory belongs to another user, or if a process has it locked."""
    if os.fstat(directory).st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
    fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
