"""Digests of files: of one, and of several with their names. A file is read once in a run."""

import errno
import hashlib
import os
import stat
from functools import cache, lru_cache
from pathlib import Path

from reconciler.fs.read import open_regular
from reconciler.lock.unreadable_source import unreadable_source


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal; raises LockError if it cannot be read."""
    try:
        return _sha256(path, path.stat()).hex()
    except OSError as error:
        raise unreadable_source(path, error) from error


def file_state(path: Path) -> str:
    """Return whether a regular file is executable, and its SHA-256, as one word; raises LockError or OSError."""
    status = path.stat()
    return f"{'x' if status.st_mode & 0o100 else 'f'}{file_digest(path)}"


def files_digest(directory: Path, files: list[str], *, follow: bool = False) -> str:
    """Return a digest of names, executable bits and contents; without `follow`, of the target of a symbolic link."""
    total = hashlib.sha256()
    for name in files:
        path = directory / name
        try:
            status = path.stat(follow_symlinks=follow)
            if stat.S_ISLNK(status.st_mode):
                kind, content = b"l", hashlib.sha256(os.fsencode(path.readlink())).digest()
            else:
                kind, content = b"x" if status.st_mode & 0o100 else b"f", _sha256(path, status)
        except OSError as error:
            raise unreadable_source(path, error) from error
        total.update(b"%s %s\0%s" % (kind, os.fsencode(name), content))
    return "sha256:" + total.hexdigest()


@cache
def _kernels_devices() -> frozenset[int]:
    """Return the devices of the file systems of the kernel, whose regular files may have no end."""
    top = Path("/").stat().st_dev
    mounted = [Path(each) for each in ("/proc", "/sys") if Path(each).is_dir()]
    return frozenset(each.stat().st_dev for each in mounted) - {top}


def _sha256(path: Path, status: os.stat_result) -> bytes:
    """Return the SHA-256 of a file; within a run it is computed once for the same inode, size and times."""
    return _sha256_at(path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@lru_cache(maxsize=100_000)
def _sha256_at(path: Path, *_signature: int) -> bytes:
    if _signature[0] in _kernels_devices():
        raise OSError(errno.EINVAL, "not a regular file", str(path))  # /proc/kcore has 128 TiB
    with os.fdopen(open_regular(path, follow=True), "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
