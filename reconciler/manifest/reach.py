"""Which files a manifest may name: those in its git repository, and those below its `allow_paths`.

Without a repository, it is the manifest's directory. A manifest that comes with a pull request can name any path, and
what is read is shown in errors and sent to indexes. So a path counts only after its links are resolved, and it is
checked before anything is opened.
"""

import errno
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.backticks import in_backticks
from reconciler.fs.read import LIMIT_BYTES
from reconciler.fs.read_beneath import read_beneath
from reconciler.fs.repository_top import repository_of
from reconciler.manifest.desired import DesiredState
from reconciler.manifest.flow_text import flow
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.paths import LOCK_SOURCE, LONGEST_PATH, in_special_tree, is_within, validate_allowed_path
from reconciler.manifest.text_file import UnreadableFileError, unreadable

COPY_HINT = "copy it into the directory of the manifest, and write the path of the copy"
_OTHER_HINT = "write the path of a different file"
# Outside the repository, only files with these names are read: no file of credentials has one of them.
_READ_OUTSIDE = re.compile(rf".+\.(txt|in)|pyproject\.toml|setup\.(py|cfg)|{LOCK_SOURCE.pattern}")
_ARCHIVES = (".whl", ".zip", ".gz", ".bz2", ".xz", ".tar", ".tgz")
_MOST_STEPS_UP = 3  # in a hint: an absolute path is clearer than a longer relative one


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The directories that a manifest may name files in.

    `directory` is the manifest's. `top` is that of its repository, or without one the manifest's directory. `allowed`
    are the directories of `allow_paths`. All are absolute and without symbolic links.
    """

    directory: Path
    top: Path
    in_repository: bool
    allowed: tuple[Path, ...]

    @property
    def place(self) -> str:
        """Return what `top` is, for messages."""
        return "the repository" if self.in_repository else "the manifest's directory"

    def contains(self, path: Path) -> bool:
        """Return whether the target of an absolute `path` may be read, whether it exists or not."""
        try:
            self.require(path)
        except UnreadableFileError:
            return False
        return True

    def may_quote(self, path: Path) -> bool:
        """Return whether errors may show lines of the file at an absolute `path`: it is in the repository."""
        try:
            return is_within(_real(path), self.top)
        except UnreadableFileError:
            return False

    def require(self, path: Path, *, is_project: bool = False) -> Path:
        """Return an absolute `path` with its links resolved, which may not exist.

        Raises UnreadableFileError if it may not be read. The hint is to allow its directory, or with `is_project` the
        path itself, unless it is an archive.
        """
        return self._placed(path, is_project=is_project)[0]

    def read(self, path: Path, *, limit: int = LIMIT_BYTES) -> bytes:
        """Return the bytes of a regular file at an absolute `path`; raises UnreadableFileError.

        No link is followed after the check: see `read_beneath`.
        """
        real, start = self._placed(path)
        if start != self.top and not _READ_OUTSIDE.fullmatch(real.name):
            message = f"a file outside {self.place} must be named `*.txt`, `*.in`, or as its tool names it"
            raise UnreadableFileError(message, hint=COPY_HINT)
        try:
            return read_beneath(real, start, limit=limit)
        except OSError as error:
            raise unreadable(error) from error

    def _placed(self, path: Path, *, is_project: bool = False) -> tuple[Path, Path]:
        """Return a path with its links resolved, and the directory that it may be read in."""
        real = _real(path)
        if in_special_tree(real):
            raise UnreadableFileError("not a regular file", hint=COPY_HINT)
        start = next((each for each in (self.top, *self.allowed) if is_within(real, each)), None)
        if start is None:
            message = f"outside {self.place}, and in no directory of `allow_paths`"
            raise UnreadableFileError(message, hint=self._hint(real, is_project=is_project))
        if any(part.casefold() == ".git" for part in real.relative_to(start).parts):
            raise UnreadableFileError("inside `.git`, which only git uses", hint=_OTHER_HINT)
        if not _may_be_read(real):
            raise UnreadableFileError("not a regular file", hint=_OTHER_HINT)
        return real, start

    def _hint(self, real: Path, *, is_project: bool) -> str:
        """Return what to write so that `real` may be read; what is written there must itself be valid."""
        directory = real if is_project and real.suffix not in _ARCHIVES else real.parent
        relative = os.path.relpath(directory, self.directory)
        shown = str(directory) if relative.count("..") > _MOST_STEPS_UP else Path(relative).as_posix()
        try:
            validate_allowed_path(shown, self.directory)
        except InvalidTextError:
            return COPY_HINT
        if self.allowed:
            return f"add {in_backticks(flow(shown))} to `allow_paths` in the manifest"
        line = f"allow_paths: {flow((shown,))}"
        return f"write {in_backticks(line)} at the top level of the manifest"


def reach_of(directory: Path, allow_paths: Sequence[str] = ()) -> Reach:
    """Return what a manifest in `directory` may read; relative paths in `allow_paths` start there."""
    real = Path(os.path.realpath(directory))
    repository = repository_of(real)
    return Reach(
        directory=real,
        top=repository or real,
        in_repository=repository is not None,
        allowed=tuple(dict.fromkeys(Path(os.path.realpath(real / each)) for each in allow_paths)),
    )


def reach_of_state(desired: DesiredState) -> Reach:
    """Return what the manifest of a desired state may read."""
    return reach_of(desired.file.parent, desired.allow_paths)


def _may_be_read(real: Path) -> bool:
    """Return whether a path is a regular file, a directory, or missing: reading a pipe or a device may never end."""
    try:
        kind = real.lstat().st_mode
    except OSError:
        return True  # reading it reports the error
    return stat.S_ISREG(kind) or stat.S_ISDIR(kind) or stat.S_ISLNK(kind)


def _real(path: Path) -> Path:
    """Return a path with its links resolved; raises UnreadableFileError if it cannot be a path."""
    if len(os.fspath(path)) > 2 * LONGEST_PATH:  # with the directory that it starts in
        raise UnreadableFileError("file name too long", hint="")
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError) as error:  # a NUL character
        raise unreadable(OSError(errno.ENOENT, "no such file", str(path))) from error
