"""What the file system of a root can do, found out by trying it.

Network file systems, images and file systems of other operating systems lack some of what Linux and macOS have on a
local disk, and their answers do not say so: `Operation not permitted` can mean that symbolic links do not exist.
"""

import errno
import fcntl
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from reconciler.fs.exchange import exchange
from reconciler.fs.file_lock import has_no_locks
from reconciler.fs.mounts import file_system_kind
from reconciler.fs.sync import flush_descriptor

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# What a file system answers that does not have links or permissions.
_CANNOT = frozenset(
    {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EMLINK, errno.EXDEV}
)
_CLONE = 0x40049409  # FICLONE of Linux
# UTF-8 in any locale
_COMPOSED = os.fsdecode("\N{LATIN SMALL LETTER E WITH ACUTE}".encode())
_DECOMPOSED = os.fsdecode("e\N{COMBINING ACUTE ACCENT}".encode())


class Ability(StrEnum):
    """Something that a file system can do. envsync needs the first three; without the others, it does less."""

    LOCKS = "file locks"
    SYMLINKS = "symbolic links"
    PERMISSIONS = "permissions"
    HARD_LINKS = "hard links"
    EXCHANGE = "exchange of two paths"
    FLUSH = "flush to disk"
    CLONES = "clones of files"
    CASE = "names that differ only in case"
    UNICODE = "names that differ only in their Unicode form"
    PROGRAMS = "programs"


NEEDED = (Ability.LOCKS, Ability.SYMLINKS, Ability.PERMISSIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystem:
    """A file system: its kind as the kernel names it (`ext4`; empty if that is unknown), and what it can do."""

    kind: str
    abilities: Mapping[Ability, bool]

    @property
    def missing(self) -> tuple[Ability, ...]:
        """Return what envsync needs and the file system cannot do."""
        return tuple(each for each in NEEDED if not self.abilities.get(each, True))


def probe_file_system(directory: Path) -> FileSystem:
    """Find out what the file system of an existing directory can do, with temporary files in it.

    Raises OSError if the directory cannot be written, for example because the disk is full.
    """
    probe = _Probe(directory)
    try:
        return FileSystem(kind=file_system_kind(directory), abilities=probe.run())
    finally:
        probe.clear()


class _Probe:
    """One probe, with temporary files that are named as those of `write_atomic`: recovery deletes them after a kill."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._paths: list[Path] = []
        self._random = os.urandom(8).hex()

    def run(self) -> dict[Ability, bool]:
        """Return each ability; raises OSError."""
        first, second = self._name("a"), self._name("b")
        descriptor = os.open(first, _NEW, 0o600)
        try:
            os.close(os.open(second, _NEW, 0o600))
            return {
                Ability.LOCKS: self._locks(descriptor),
                Ability.SYMLINKS: self._can(lambda: self._name("link").symlink_to("a")),
                Ability.PERMISSIONS: self._can(lambda: os.fchmod(descriptor, 0o640)),
                Ability.HARD_LINKS: self._can(lambda: self._name("other").hardlink_to(first)),
                Ability.EXCHANGE: exchange(first, second),
                Ability.FLUSH: flush_descriptor(descriptor),
                Ability.CLONES: self._clones(descriptor, second),
                Ability.CASE: self._distinguishes("case", "CASE"),
                Ability.UNICODE: self._distinguishes(_COMPOSED, _DECOMPOSED),
                Ability.PROGRAMS: not os.statvfs(first).f_flag & os.ST_NOEXEC,
            }
        finally:
            os.close(descriptor)

    def clear(self) -> None:
        """Delete the temporary files."""
        for path in self._paths:
            with suppress(OSError):
                path.unlink()

    def _name(self, word: str) -> Path:
        path = self._directory / f".probe-{word}.{os.getpid()}.{self._random}.tmp"
        self._paths.append(path)
        return path

    @staticmethod
    def _can(change: Callable[[], None]) -> bool:
        try:
            change()
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
            return False
        return True

    @staticmethod
    def _locks(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if not has_no_locks(error):
                raise
            return False
        return True

    def _clones(self, descriptor: int, other: Path) -> bool:
        """Return whether files can share their blocks, as on btrfs and some xfs; macOS has clones on APFS only."""
        source = os.open(other, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.ioctl(descriptor, _CLONE, source)
        except OSError:
            return False
        finally:
            os.close(source)
        return True

    def _distinguishes(self, one: str, other: str) -> bool:
        """Return whether two names are names of two files."""
        os.close(os.open(self._name(one), _NEW, 0o600))
        try:
            os.close(os.open(self._name(other), _NEW, 0o600))
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in {errno.EILSEQ, errno.EINVAL}:
                raise
            return False  # a name that the file system does not accept
        return True
