"""The files that a manifest names: each is read once, and its digest is kept. `Reach` decides which may be read."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

from reconciler.manifest.desired import InputFile
from reconciler.manifest.reach import Reach
from reconciler.manifest.text_file import LARGEST, TextFile, UnreadableFileError, decode_text, read_file

BUILD_FILES = ("pyproject.toml", "setup.cfg", "setup.py")
LARGEST_LOCK = 16 * 1024 * 1024  # bytes; see `reconciler.lock.lock_toml`


class InputFiles:
    """Reads text files from disk and keeps their digests; missing files are kept too, since adding one is a change.

    The files of a git revision are read by a subclass (`reconciler.revision.files`). `reach` is None while only the
    manifest itself may be read, because it says which others may be.
    """

    def __init__(self, reach: Reach | None = None) -> None:
        self.reach = reach
        self._read: dict[Path, TextFile | UnreadableFileError] = {}
        self._others: dict[Path, str] = {}

    def text(self, path: Path, *, any_unicode: bool = False) -> TextFile:
        """Return the text of the file at the absolute `path`; raises UnreadableFileError."""
        if path not in self._read:
            try:
                found = decode_text(self.content(path), any_unicode=any_unicode)
                self._read[path] = replace(found, quotable=self.may_quote(path))
            except UnreadableFileError as error:
                self._read[path] = error
        known = self._read[path]
        if isinstance(known, UnreadableFileError):
            raise known
        return known

    def content(self, path: Path) -> bytes:
        """Return the bytes of a regular file of at most 1 MiB; raises UnreadableFileError."""
        return read_file(path) if self.reach is None else self.reach.read(path, limit=LARGEST)

    def may_quote(self, path: Path) -> bool:
        """Return whether errors may show lines of a file."""
        return self.reach is None or self.reach.may_quote(path)

    def require(self, path: Path, *, is_project: bool = False) -> None:
        """Raise UnreadableFileError if a path, which may not exist, must not be read; see `Reach.require`."""
        self._reach.require(path, is_project=is_project)

    def has_build_file(self, directory: Path) -> bool:
        """Return whether a directory has a file that makes it a Python project.

        Raises UnreadableFileError if one of them is a link to a file that must not be read.
        """
        paths = [directory / each for each in BUILD_FILES]
        for path in paths:
            self.require(path)
        return any(self.is_file(path) for path in paths)

    def contains(self, path: Path) -> bool:
        """Return whether a path, which may not exist, may be read."""
        try:
            self.require(path)
        except UnreadableFileError:
            return False
        return True

    def names(self, path: Path) -> tuple[str, ...]:
        """Return the sorted names in a directory, none if it cannot be read; the directory is an input from now on."""
        try:
            found = tuple(sorted(self.listing(path)))
        except (OSError, UnreadableFileError):
            self._others[path] = ""
            return ()
        self._others[path] = hashlib.sha256("\0".join(found).encode("utf-8", "surrogateescape")).hexdigest()
        return found

    def listing(self, path: Path) -> list[str]:
        """Return the names in a directory; raises OSError or UnreadableFileError."""
        return os.listdir(self._reach.require(path))

    def lock_sha256(self, path: Path) -> str:
        """Return the SHA-256 (hexadecimal) of the lock of another tool; raises UnreadableFileError."""
        self._others[path] = ""
        self._others[path] = hashlib.sha256(self.lock_content(path)).hexdigest()
        return self._others[path]

    def lock_content(self, path: Path) -> bytes:
        """Return the bytes of a file of at most 16 MiB; raises UnreadableFileError."""
        return self._reach.read(path, limit=LARGEST_LOCK)

    def is_directory(self, path: Path, *, of_index: bool = False) -> bool:
        """Return whether `path` is a directory that may be read, or a symbolic link to one; that `of_index` always may.

        Like a server, it is a source of packages, and no text in it is shown.
        """
        return (of_index or self.contains(path)) and os.path.isdir(path)  # noqa: PTH112  # False if the name is too long

    def is_file(self, path: Path) -> bool:
        """Return whether `path` is a regular file that may be read, or a symbolic link to one."""
        return self.contains(path) and os.path.isfile(path)  # noqa: PTH113  # False if the name is too long

    def real(self, path: Path) -> Path:
        """Return an absolute path without symbolic links."""
        return Path(os.path.realpath(path))

    @property
    def _reach(self) -> Reach:
        if self.reach is None:
            raise RuntimeError("the manifest, which says what may be read, was not read yet")
        return self.reach

    def read_so_far(self) -> tuple[InputFile, ...]:
        """Return all files that were read or found missing, and directories that were listed, sorted by path."""
        files = {
            path: "" if isinstance(found, UnreadableFileError) else found.sha256 for path, found in self._read.items()
        }
        return tuple(InputFile(path=path, sha256=sha256) for path, sha256 in sorted((files | self._others).items()))
