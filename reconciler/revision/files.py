"""The files of a manifest as they are in a git revision, by the paths that they have on disk."""

import os
import stat
from pathlib import Path

from reconciler.git.index_file import SUBMODULE
from reconciler.manifest.input_files import InputFiles
from reconciler.manifest.paths import is_within
from reconciler.manifest.text_file import UnreadableFileError, limit_size
from reconciler.revision.git_revision import Entry, Revision


class RevisionFiles(InputFiles):
    """Reads files inside the repository from a revision, and all other files from disk.

    `directory` is the manifest's. Its path may reach the repository through a symbolic link.
    """

    def __init__(self, revision: Revision, directory: Path) -> None:
        super().__init__()
        self.revision = revision
        start = _absolute(directory)
        inside = [
            each for each in (start, *start.parents) if is_within(Path(os.path.realpath(each)), revision.repository)
        ]
        self._top = inside[-1]
        self._prefix = Path(os.path.realpath(self._top)).relative_to(revision.repository)

    def require(self, path: Path, *, is_project: bool = False) -> None:
        """Raise UnreadableFileError if a path must not be read: a link of the revision must not point out of it."""
        relative = self._in_repository(path)
        if relative is None:
            super().require(path, is_project=is_project)
        else:
            self.revision.find(relative)

    def may_quote(self, path: Path) -> bool:
        """Return whether errors may show lines of a file."""
        return self._in_repository(path) is not None or super().may_quote(path)

    def content(self, path: Path) -> bytes:
        """Return the bytes of a file of at most 1 MiB; raises UnreadableFileError."""
        relative = self._in_repository(path)
        return super().content(path) if relative is None else limit_size(self.blob(path))

    def blob(self, path: Path) -> bytes:
        """Return the bytes of a file in the repository; raises UnreadableFileError."""
        relative = self._in_repository(path)
        entry = None if relative is None else self.revision.find(relative)
        if entry is None:
            raise UnreadableFileError("no such file", hint="", missing=True)
        if entry.mode == SUBMODULE:
            raise UnreadableFileError("a submodule, which has its own revisions", hint="")
        if not stat.S_ISREG(entry.mode):
            raise UnreadableFileError("a directory, not a file", hint="", is_directory=True)
        return self.revision.content(entry.id)

    def lock_content(self, path: Path) -> bytes:
        """Return the bytes of the lock of another tool; raises UnreadableFileError."""
        return super().lock_content(path) if self._in_repository(path) is None else self.blob(path)

    def listing(self, path: Path) -> list[str]:
        """Return the names that the revision has in a directory; none if it has no such directory."""
        if self._in_repository(path) is None:
            return super().listing(path)
        entry = self.entry(path)
        if entry is None or not stat.S_ISDIR(entry.mode):
            return []
        return sorted({each.partition("/")[0] for each, _, _ in self.revision.files_below(entry)})

    def is_directory(self, path: Path, *, of_index: bool = False) -> bool:
        """Return whether the revision has a directory at `path`; a submodule counts, though it cannot be read."""
        if self._in_repository(path) is None:
            return super().is_directory(path, of_index=of_index)
        entry = self.entry(path)
        return entry is not None and (stat.S_ISDIR(entry.mode) or entry.mode == SUBMODULE)

    def is_file(self, path: Path) -> bool:
        """Return whether the revision has a regular file at `path`."""
        if self._in_repository(path) is None:
            return super().is_file(path)
        entry = self.entry(path)
        return entry is not None and stat.S_ISREG(entry.mode)

    def real(self, path: Path) -> Path:
        """Return an absolute path without the revision's symbolic links."""
        relative, entry = self._in_repository(path), self.entry(path)
        if relative is None:
            return super().real(path)
        return self.revision.repository / (relative if entry is None else entry.path)

    def entry(self, path: Path) -> Entry | None:
        """Return the revision's entry at `path`; None if it has none, or none that can be read."""
        relative = self._in_repository(path)
        try:
            return None if relative is None else self.revision.find(relative)
        except UnreadableFileError:
            return None

    def _in_repository(self, path: Path) -> str | None:
        """Return a path relative to the repository's top; None if it is outside the repository."""
        absolute = _absolute(path)
        for top, prefix in ((self._top, self._prefix), (self.revision.repository, Path())):
            if is_within(absolute, top):
                return (prefix / absolute.relative_to(top)).as_posix()
        return None


def _absolute(path: Path) -> Path:
    return Path(os.path.normpath(path.absolute()))
