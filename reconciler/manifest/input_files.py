"""The files that a manifest names: each is read once, and its digest is kept."""

import hashlib
import os
from pathlib import Path

from reconciler.manifest.desired import InputFile
from reconciler.manifest.text_file import TextFile, UnreadableFileError, decode_text, read_file

LARGEST_LOCK = 64 * 1024 * 1024  # bytes


class InputFiles:
    """Reads text files from disk and keeps their digests; missing files are kept too, since adding one is a change.

    The files of a git revision are read by a subclass (`reconciler.revision.files`).
    """

    def __init__(self) -> None:
        self._read: dict[Path, TextFile | UnreadableFileError] = {}
        self._others: dict[Path, str] = {}

    def text(self, path: Path, *, any_unicode: bool = False) -> TextFile:
        """Return the text of the file at the absolute `path`; raises UnreadableFileError."""
        if path not in self._read:
            try:
                self._read[path] = decode_text(self.content(path), any_unicode=any_unicode)
            except UnreadableFileError as error:
                self._read[path] = error
        found = self._read[path]
        if isinstance(found, UnreadableFileError):
            raise found
        return found

    def content(self, path: Path) -> bytes:
        """Return the bytes of a regular file of at most 1 MiB; raises UnreadableFileError."""
        return read_file(path)

    def names(self, path: Path) -> tuple[str, ...]:
        """Return the sorted names in a directory, none if it cannot be read; the directory is an input from now on."""
        try:
            found = tuple(sorted(self.listing(path)))
        except OSError:
            self._others[path] = ""
            return ()
        self._others[path] = hashlib.sha256("\0".join(found).encode("utf-8", "surrogateescape")).hexdigest()
        return found

    def listing(self, path: Path) -> list[str]:
        """Return the names in a directory; raises OSError."""
        return os.listdir(path)

    def lock_sha256(self, path: Path) -> str:
        """Return the SHA-256 (hexadecimal) of the lock of another tool; raises UnreadableFileError."""
        self._others[path] = ""
        self._others[path] = hashlib.sha256(self.lock_content(path)).hexdigest()
        return self._others[path]

    def lock_content(self, path: Path) -> bytes:
        """Return the bytes of a file of at most 64 MiB; raises UnreadableFileError."""
        return read_file(path, limit=LARGEST_LOCK)

    def is_directory(self, path: Path) -> bool:
        """Return whether `path` is a directory or a symbolic link to one."""
        return path.is_dir()

    def is_file(self, path: Path) -> bool:
        """Return whether `path` is a regular file or a symbolic link to one."""
        return path.is_file()

    def real(self, path: Path) -> Path:
        """Return an absolute path without symbolic links."""
        return Path(os.path.realpath(path))

    def read_so_far(self) -> tuple[InputFile, ...]:
        """Return all files that were read or found missing, and directories that were listed, sorted by path."""
        files = {
            path: "" if isinstance(found, UnreadableFileError) else found.sha256 for path, found in self._read.items()
        }
        return tuple(InputFile(path=path, sha256=sha256) for path, sha256 in sorted((files | self._others).items()))
