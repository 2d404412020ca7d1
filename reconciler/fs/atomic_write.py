"""Writing a small file so that a reader, or a power cut, sees the old one or the new one and nothing between."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_TEMPORARY = re.compile(r"\..+\.([1-9][0-9]*)\.tmp")  # as write_atomic names it: of which file, and whose


def write_atomic(path: Path, content: bytes, *, mode: int = 0o644, flush: bool = True) -> None:
    """Replace `path` with `content`: a temporary file beside it, fsync, rename, fsync of the directory.

    Without `flush` (a cache, whose damage is seen) a power cut may lose it. Raises OSError; the old file then stands
    as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    try:
        with naming(path), os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if flush:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:  # a KeyboardInterrupt, too: no half-written file stays
        with suppress(OSError):  # what happened first is what matters
            temporary.unlink(missing_ok=True)
        raise
    if flush:
        sync_directory(path.parent)


def clear_temporaries(directory: Path) -> None:
    """Delete the temporary files that killed writers left in `directory`; those of a live process are its own.

    What cannot be deleted stays, and harms nothing.
    """
    with suppress(OSError), os.scandir(directory) as found:
        for each in found:
            writer = _TEMPORARY.fullmatch(each.name)
            if writer and each.is_file(follow_symlinks=False) and not lives(int(writer[1])):
                with suppress(OSError):
                    os.unlink(each.path)  # noqa: PTH108


def lives(pid: int) -> bool:
    """Say whether a process of that number exists, whoever's it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def sync_directory(path: Path) -> None:
    """Flush a directory's entries to disk, so that a rename in it outlives a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with naming(path):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Give an error about a descriptor the path that it is about."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
