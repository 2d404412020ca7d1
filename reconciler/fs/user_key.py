"""The key of this user: envsync authenticates with it what it writes below a root (docs/design.md, "What is trusted").

It is outside of every root: `$XDG_STATE_HOME/envsync/key`, by default `~/.local/state/envsync/key`. No one else may
read it. Imports only modules that load fast.
"""

from __future__ import annotations

import errno
import os

KEY_BYTES = 32
_TYPE, _REGULAR = 0o170000, 0o100000  # S_IFMT, S_IFREG
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


def state_directory() -> str:
    """Return the directory of what envsync keeps for this user, in which nothing belongs to a root."""
    base = os.environ.get("XDG_STATE_HOME", "")
    if not base.startswith("/"):
        base = f"{_home()}/.local/state"
    return f"{base}/envsync"


def key_path() -> str:
    """Return the path of the key of this user."""
    return f"{state_directory()}/key"


def read_user_key() -> bytes | None:
    """Return the key (32 bytes), None if there is none or if others could have read or written it."""
    try:
        descriptor = os.open(key_path(), _READ)
    except (OSError, ValueError):
        return None
    try:
        status = os.fstat(descriptor)
        if status.st_mode & _TYPE != _REGULAR or status.st_mode & 0o077 or status.st_uid != os.geteuid():
            return None
        found = os.read(descriptor, KEY_BYTES + 1)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return found if len(found) == KEY_BYTES else None


def make_user_key() -> bytes:
    """Return the key, which is made if there is none; raises OSError, also if the file exists and is not usable.

    Two processes that make it at the same time get the same key: the first one counts.
    """
    found = read_user_key()
    if found is not None:
        return found
    path = key_path()
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120  # no pathlib here
    temporary = f"{path}.{os.urandom(8).hex()}.tmp"
    key = os.urandom(KEY_BYTES)
    _write_new(temporary, key)
    try:
        _link_or_write(temporary, path, key)
    except FileExistsError:  # another process was faster
        pass
    finally:
        os.unlink(temporary)  # noqa: PTH108
    return _required_key(path)


def _link_or_write(temporary: str, path: str, key: bytes) -> None:
    """Give the new key its name; unlike a rename, this replaces nothing. Raises OSError."""
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _write_new(path, key)


def _write_new(path: str, key: bytes) -> None:
    from reconciler.fs.sync import flush_descriptor  # slow to import, and most processes only read the key

    descriptor = os.open(path, _NEW, 0o600)
    try:
        os.write(descriptor, key)
        flush_descriptor(descriptor)
    except OSError:
        os.unlink(path)  # noqa: PTH108
        raise
    finally:
        os.close(descriptor)


def _required_key(path: str) -> bytes:
    found = read_user_key()
    if found is None:
        raise PermissionError(errno.EPERM, "it is not a key that only this user can read", path)
    return found


def _home() -> str:
    """Return the home directory of this user: HOME counts only if it is theirs, which it is not after some `sudo`."""
    home = os.environ.get("HOME", "")
    try:
        if home.startswith("/") and os.stat(home).st_uid == os.geteuid():  # noqa: PTH116
            return home
    except OSError:  # a service may have none
        pass
    from pwd import getpwuid

    try:
        return getpwuid(os.geteuid()).pw_dir
    except KeyError:  # a user without a name, which a container may have
        return "/nonexistent"
