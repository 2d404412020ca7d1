"""The files that a manifest names: each read once, and remembered for what it was."""

from pathlib import Path

from reconciler.manifest.desired import InputFile
from reconciler.manifest.text_file import TextFile, UnreadableFileError, read_text_file


class InputFiles:
    """Reads text files and keeps their digests; absent ones are kept too, since their coming would be a change."""

    def __init__(self) -> None:
        self._read: dict[Path, TextFile | UnreadableFileError] = {}

    def text(self, path: Path, *, any_unicode: bool = False) -> TextFile:
        """Return the text of the file at `path`, absolute; raises UnreadableFileError."""
        if path not in self._read:
            try:
                self._read[path] = read_text_file(path, any_unicode=any_unicode)
            except UnreadableFileError as error:
                self._read[path] = error
        found = self._read[path]
        if isinstance(found, UnreadableFileError):
            raise found
        return found

    def seen(self) -> tuple[InputFile, ...]:
        """Return all files that were asked for, sorted by path."""
        return tuple(
            InputFile(path=path, sha256="" if isinstance(found, UnreadableFileError) else found.sha256)
            for path, found in sorted(self._read.items())
        )
