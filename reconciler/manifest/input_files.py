"""The files that a manifest names: each read once, and remembered for what it was."""

import os
from pathlib import Path

from reconciler.manifest.desired import InputFile
from reconciler.manifest.text_file import TextFile, UnreadableFileError, decoded, file_content


class InputFiles:
    """Reads text files and keeps their digests; absent ones are kept too, since their coming would be a change.

    Here they are on disk; a manifest of another time has its files elsewhere (`reconciler.revision.files`).
    """

    def __init__(self) -> None:
        self._read: dict[Path, TextFile | UnreadableFileError] = {}

    def text(self, path: Path, *, any_unicode: bool = False) -> TextFile:
        """Return the text of the file at `path`, absolute; raises UnreadableFileError."""
        if path not in self._read:
            try:
                self._read[path] = decoded(self.content(path), any_unicode=any_unicode)
            except UnreadableFileError as error:
                self._read[path] = error
        found = self._read[path]
        if isinstance(found, UnreadableFileError):
            raise found
        return found

    def content(self, path: Path) -> bytes:
        """Return the bytes of a regular file of at most 1 MiB; raises UnreadableFileError."""
        return file_content(path)

    def is_directory(self, path: Path) -> bool:
        """Say whether there is a directory at `path`, behind links or not."""
        return path.is_dir()

    def is_file(self, path: Path) -> bool:
        """Say whether there is a regular file at `path`, behind links or not."""
        return path.is_file()

    def real(self, path: Path) -> Path:
        """Return an absolute path without symbolic links."""
        return Path(os.path.realpath(path))

    def seen(self) -> tuple[InputFile, ...]:
        """Return all files that were asked for, sorted by path."""
        return tuple(
            InputFile(path=path, sha256="" if isinstance(found, UnreadableFileError) else found.sha256)
            for path, found in sorted(self._read.items())
        )
