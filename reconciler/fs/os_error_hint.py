"""What a person can do about an error that the operating system reported."""

import errno

_PERMISSION = "run envsync as the owner of the file or directory, or change its permissions"
SPACE_HINT = "free disk space, then run the command again"
_HINTS = {
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EROFS: "make the file system writable, then run the command again",
    errno.ENOSPC: SPACE_HINT,
    errno.EDQUOT: SPACE_HINT,
    errno.EMFILE: "allow more open files with `ulimit -n`, then run the command again",
}


def os_error_hint(error: Exception) -> str | None:
    """Return what to do about an error, as an instruction; None if that depends on the file, or for any other error."""
    return _HINTS.get(error.errno or 0) if isinstance(error, OSError) else None
