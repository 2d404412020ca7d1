"""The files of a manifest as a git revision has them, at the paths at which they are on disk."""

import os
import stat
from pathlib import Path

from reconciler.manifest.input_files import InputFiles
from reconciler.manifest.paths import is_within
from reconciler.manifest.text_file import UnreadableFileError, limited
from reconciler.revision.git_revision import SUBMODULE, Entry, Revision


class RevisionFiles(InputFiles):
    """Reads what lies in the repository out of a revision; what does not has no revision and is read on disk.

    `directory` is the manifest's: it may be the way into the repository behind a symbolic link.
    """

    def __init__(self, revision: Revision, directory: Path) -> None:
        super().__init__()
        self.revision = revision
        here = _absolute(directory)
        inside = [
            each for each in (here, *here.parents) if is_within(Path(os.path.realpath(each)), revision.repository)
        ]
        self._top = inside[-1]
        self._prefix = Path(os.path.realpath(self._top)).relative_to(revision.repository)

    def content(self, path: Path) -> bytes:
        """Return the bytes of a file of at most 1 MiB; raises UnreadableFileError."""
        place = self._inside(path)
        return super().content(path) if place is None else limited(self.blob(path))

    def blob(self, path: Path) -> bytes:
        """Return the bytes of a file in the repository; raises UnreadableFileError."""
        place = self._inside(path)
        entry = None if place is None else self.revision.find(place)
        if entry is None:
            raise UnreadableFileError("no such file", missing=True)
        if entry.mode == SUBMODULE:
            raise UnreadableFileError("a submodule, which has revisions of its own")
        if not stat.S_ISREG(entry.mode):
            raise UnreadableFileError("a directory, not a file")
        return self.revision.content(entry.id)

    def is_directory(self, path: Path) -> bool:
        """Say whether the revision has a directory at `path`; a submodule is one, and cannot be looked into."""
        if self._inside(path) is None:
            return super().is_directory(path)
        entry = self.found(path)
        return entry is not None and (stat.S_ISDIR(entry.mode) or entry.mode == SUBMODULE)

    def is_file(self, path: Path) -> bool:
        """Say whether the revision has a regular file at `path`."""
        if self._inside(path) is None:
            return super().is_file(path)
        entry = self.found(path)
        return entry is not None and stat.S_ISREG(entry.mode)

    def real(self, path: Path) -> Path:
        """Return an absolute path without the revision's symbolic links."""
        place, entry = self._inside(path), self.found(path)
        if place is None:
            return super().real(path)
        return self.revision.repository / (place if entry is None else entry.path)

    def found(self, path: Path) -> Entry | None:
        """Return what the revision has at `path`; None where it has nothing that can be read."""
        place = self._inside(path)
        try:
            return None if place is None else self.revision.find(place)
        except UnreadableFileError:
            return None

    def _inside(self, path: Path) -> str | None:
        """Return a path from the repository's top; None where it is not in the repository."""
        place = _absolute(path)
        for top, prefix in ((self._top, self._prefix), (self.revision.repository, Path())):
            if is_within(place, top):
                return (prefix / place.relative_to(top)).as_posix()
        return None


def _absolute(path: Path) -> Path:
    return Path(os.path.normpath(path.absolute()))
