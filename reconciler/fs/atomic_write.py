"""Replaces a small file atomically: a reader, or a power cut, finds the old file or the new one, never half of one."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reconciler.fs.access import callers_umask, is_own
from reconciler.fs.access_bits import access_to
from reconciler.fs.own_files import open_parent
from reconciler.fs.sync import flush_descriptor, naming

# Made by write_atomic: the name of the file, the pid of the writer, and a random part (older versions had none).
_TEMPORARY = re.compile(r"\..+?\.([1-9][0-9]*)(?:\.[0-9a-f]{16})?\.tmp")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_atomic(path: Path, content: bytes, *, mode: int | None = None, flush: bool = True) -> None:
    """Replace `path` with `content`: a temporary file in its directory, fsync, rename, fsync of the directory.

    Without `mode` the umask decides who may read it. Without `flush` a power cut may lose it: for caches, whose damage
    is detected. Raises OSError; the old file then stays as it was.
    """
    with replacing(path, content, mode=mode, flush=flush):
        pass


@contextmanager
def replacing(path: Path, content: bytes, *, mode: int | None = None, flush: bool = True) -> Iterator[None]:
    """Write `content` as `write_atomic` does, but let it take the place of `path` only when the block ends.

    What takes space on the disk is done before the block. If the block raises, the old file stays as it was.
    """
    directory, name = open_parent(str(path))
    # A random name and O_EXCL: no one can put a link or a file in its place beforehand.
    temporary = f".{name}.{os.getpid()}.{os.urandom(8).hex()}.tmp"
    try:
        with naming(path):
            descriptor = os.open(temporary, _NEW, 0o644, dir_fd=directory)
        try:
            with naming(path), os.fdopen(descriptor, "wb") as file:
                if mode is not None:
                    os.fchmod(descriptor, mode)
                file.write(content)
                if flush:
                    file.flush()
                    flush_descriptor(descriptor)
            yield
            with naming(path):
                os.replace(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
        except BaseException:  # KeyboardInterrupt included: a half-written file never stays
            with suppress(OSError):  # the first error is the one to report
                os.unlink(temporary, dir_fd=directory)
            raise
        if flush:
            with naming(path):
                flush_descriptor(directory)
    finally:
        os.close(directory)


def write_users_file(path: Path, content: bytes) -> None:
    """Replace a file of the user, such as a lock, as `write_atomic` does, with the umask of the user."""
    umask = callers_umask()
    write_atomic(path, content, mode=None if umask < 0 else 0o644 & ~umask)


def write_cache(path: Path, content: bytes) -> None:
    """Replace a file that may be lost, readable for those who may enter its directory.

    Raises OSError; PermissionError if the directory belongs to a different user, who could not replace the file.
    """
    if not is_own(path.parent):
        raise PermissionError(errno.EPERM, "its directory belongs to a different user", str(path))
    write_atomic(path, content, mode=0o600 | (access_to(path.parent) & 0o044), flush=False)


def clear_temporaries(directory: Path) -> None:
    """Delete the temporary files and links of killed writers in `directory`; those of running processes stay.

    A file that cannot be deleted stays, and does no harm.
    """
    with suppress(OSError), os.scandir(directory) as found:
        for each in found:
            writer = _TEMPORARY.fullmatch(each.name)
            if writer and not each.is_dir(follow_symlinks=False) and not process_exists(int(writer[1])):
                with suppress(OSError):
                    os.unlink(each.path)  # noqa: PTH108


def process_exists(pid: int) -> bool:
    """Return whether a process with this number exists, whatever its user; 0 and negative numbers do not count."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
