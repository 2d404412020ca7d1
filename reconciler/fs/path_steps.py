"""Every directory and symbolic link on the way to a file: who may change one of them can replace the file.

That is what `StrictModes` of sshd_config(5) examines, here for the whole path and through symbolic links.
`reconciler.fs.writers` says who may change a step.
"""

import errno
import os
import stat
from collections.abc import Iterator

_MOST_LINKS = 40  # the kernel's own limit


def steps_to(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield every directory and symbolic link on the way to `path` (absolute) from `/` on, then the file there.

    Each comes with its own status, not that of the target of a link. Raises OSError as stat(2) would.
    """
    if not _can_be_a_path(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    reached, links = "/", 0
    yield reached, os.lstat(reached)
    ahead = [*reversed(path.split("/"))]
    while ahead:
        part = ahead.pop()
        if part in {"", "."}:
            continue
        if part == "..":
            reached = reached[: reached.rindex("/")] or "/"
            continue
        step = f"{reached.rstrip('/')}/{part}"
        status = os.lstat(step)
        yield step, status
        if not stat.S_ISLNK(status.st_mode):
            reached = step
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        target = os.readlink(step)  # noqa: PTH115
        reached = "/" if target.startswith("/") else reached
        ahead += reversed(target.split("/"))


def _can_be_a_path(text: str) -> bool:
    """Return whether the system accepts a text as a path; a text from a file may have any characters."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False
