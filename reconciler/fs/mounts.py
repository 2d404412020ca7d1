"""What is mounted where, as Linux lists it (proc_pid_mountinfo(5))."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_OCTAL = re.compile(rb"\\([0-7]{3})")  # a blank in a path is `\040`


def mount_points() -> Iterator[tuple[bytes, str]]:
    """Yield each mount point as the kernel has it, with the kind of its file system (`ext4`), the outer ones first.

    Nothing is yielded if the system has no such list. Raises OSError if it cannot be read.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        for line in _MOUNTS.read_bytes().splitlines():
            before, _, after = line.partition(b" - ")
            fields = before.split()
            if len(fields) > 4:
                yield _OCTAL.sub(_byte, fields[4]), os.fsdecode(after.partition(b" ")[0])


def file_system_kind(path: Path) -> str:
    """Return what the kernel calls the file system of a path, such as `nfs4`; empty if that is unknown."""
    real = os.fsencode(os.path.realpath(path))
    innermost, found = b"", ""
    with suppress(OSError):
        for point, kind in mount_points():
            if (real + b"/").startswith(point.rstrip(b"/") + b"/") and len(point) >= len(innermost):
                innermost, found = point, kind
    return found


def _byte(escape: re.Match[bytes]) -> bytes:
    return bytes([int(escape[1], 8)])
