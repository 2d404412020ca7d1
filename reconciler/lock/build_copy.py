"""Copies of local projects for builds. A build writes nothing into the source, and sees what is around the project.

A copy has the same path as the original, below a scratch directory. The project's own files are copied. What is next to
it, and next to each directory above it, is a symbolic link to the original, so that `../shared` works. If the build
uses git, the files around the project that git tracks are copied too, because a link would count as a change. `.git`
has copies of git's small files and uses the objects of the original (`reconciler.git.copied_directory`).
"""

import errno
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from reconciler.git.copied_directory import copy_git_directory
from reconciler.git.index_file import SUBMODULE, index_entries
from reconciler.git.working_tree import Repository, find_repository
from reconciler.lock.build_inputs import read_build_inputs
from reconciler.lock.ignored_by_git import left_out
from reconciler.lock.source_files import source_files, tracked_files
from reconciler.lock.unreadable_source import unreadable_source

_LINKED_BYTES = 16 * 1024 * 1024  # an untracked file that is larger is linked: models and data sets
_READ_BY_GIT = frozenset({".gitignore", ".gitattributes", ".mailmap"})  # git reads no link with one of these names
_MOST_NAMES = 5000  # a directory above the project with more entries is not linked
_UNSUPPORTED = frozenset({errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF, errno.EPERM})


def copy_for_build(source: Path, scratch: Path) -> Path:
    """Copy the project in `source` and what its build may read around it below `scratch`, which must be empty.

    Returns the project's directory in the copy. Raises LockError if the source cannot be read, or OSError.
    """
    try:
        real = source.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise unreadable_source(source, error) from error
    base = scratch.resolve()
    copy = _Copy(base=base, project=real, repository=find_repository(str(real)))
    copy.run()
    return copy.place(real)


class _Copy:
    """One copy that is being made."""

    def __init__(self, *, base: Path, project: Path, repository: Repository | None) -> None:
        self._base = base
        self._project = project
        self._repository = repository
        self._top = Path(repository.top) if repository is not None else None
        self._tracked = _tracked(repository) if repository is not None else {}
        self._links: list[str] = []  # untracked directories that are links in the copy, relative to the top

    def place(self, path: Path) -> Path:
        """Return the path of the copy of `path`."""
        return self._base / path.relative_to("/")

    def run(self) -> None:
        """Make the copy."""
        self.place(self._project).mkdir(parents=True, exist_ok=True)
        self._copy_project()
        is_below_top = self._tracked and self._top != self._project
        asks_git = is_below_top and read_build_inputs(self._project).versioned
        child = self._project
        for directory in self._project.parents:
            if directory == directory.parent:
                break
            if not (asks_git and self._top is not None and directory.is_relative_to(self._top)):
                self._link_entries(directory, {child.name})
            child = directory
        if self._top is not None and self._repository is not None:
            if asks_git:
                self._mirror(self._top, self._top, self._tracked, _folders(self._tracked))
            copy_git_directory(self._repository, self.place(self._top), linked=self._links)

    def _copy_project(self) -> None:
        tracked = tracked_files(self._project)
        names = source_files(self._project, tracked=tracked)
        # hatchling ignores nothing if the project is below a directory with an ignored name. The copy may be below one
        # (`tmp/`), so what the build leaves out in the original is not copied.
        without = left_out(read_build_inputs(self._project), names, tracked)
        for name in (each for each in names if each not in without):
            path = self._project / name
            self.place(path).parent.mkdir(parents=True, exist_ok=True)
            _copy_entry(path, self.place(path), may_link=name not in tracked)
        self._copy_submodules()

    def _copy_submodules(self) -> None:
        """Give the submodules in the copied project a `.git` of their own."""
        if self._top is None:
            return
        for name, mode in self._tracked.items():
            module = self._top / name
            if mode == SUBMODULE and module.is_relative_to(self._project) and module != self._project:
                found = find_repository(str(module))
                self.place(module).mkdir(parents=True, exist_ok=True)
                if found is not None and found.top == str(module) and not (self.place(module) / ".git").exists():
                    copy_git_directory(found, self.place(module))

    def _mirror(self, top: Path, directory: Path, tracked: Mapping[str, int], folders: Collection[str]) -> None:
        """Copy the tracked files around the project; everything else becomes links, as high up as possible.

        `tracked` and `folders` (the directories with tracked files) are relative to `top`.
        """
        for entry in _entries(directory):
            path = directory / entry.name
            name = path.relative_to(top).as_posix()
            if path == self._project or entry.name == ".git":
                continue
            is_directory = entry.is_dir(follow_symlinks=False)
            if self._project.is_relative_to(path) or (is_directory and name in folders):
                self.place(path).mkdir(exist_ok=True)
                self._mirror(top, path, tracked, folders)
            elif name in tracked and tracked[name] != SUBMODULE and not is_directory:
                _copy_entry(path, self.place(path), may_link=False)
            elif name in tracked and is_directory:
                self._mirror_submodule(path)
            elif not self._base.is_relative_to(path.resolve()):
                self.place(path).symlink_to(path)
                if is_directory and top == self._top:
                    self._links.append(name)

    def _mirror_submodule(self, module: Path) -> None:
        self.place(module).mkdir(exist_ok=True)
        found = find_repository(str(module))
        if found is not None and found.top == str(module):
            tracked = _tracked(found)
            self._mirror(module, module, tracked, _folders(tracked))
            copy_git_directory(found, self.place(module))

    def _link_entries(self, directory: Path, spared: set[str]) -> None:
        """Link everything in a directory above the project; what cannot be listed is left out."""
        found = _entries(directory)
        if len(found) > _MOST_NAMES:
            return
        for entry in found:
            path = directory / entry.name
            # A repository above this one is not for the build, and a link into the copy would be a loop.
            if entry.name in spared or entry.name == ".git" or self._base.is_relative_to(path):
                continue
            with suppress(FileExistsError):
                if entry.name in _READ_BY_GIT and entry.is_file(follow_symlinks=False):
                    _copy_entry(path, self.place(path), may_link=False)
                else:
                    self.place(path).symlink_to(path)


def _tracked(repository: Repository) -> dict[str, int]:
    """Return the mode of each path in the index of a working tree; raises LockError if that is damaged."""
    index = Path(repository.git_dir, "index")
    if not index.is_file():
        return {}
    return {os.fsdecode(each.path): each.mode for each in index_entries(index)}


def _folders(tracked: Mapping[str, int]) -> frozenset[str]:
    """Return the directories with tracked files, and those above them."""
    return frozenset(above.as_posix() for name in tracked for above in Path(name).parents)


def _entries(directory: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as listing:
            return sorted(listing, key=lambda each: each.name)
    except OSError:
        return []


def _copy_entry(source: Path, copy: Path, *, may_link: bool) -> None:
    """Copy a file with its mode and times, or a symbolic link; with `may_link`, a large file becomes a link."""
    status = source.lstat()
    if source.is_symlink():
        copy.symlink_to(source.readlink())
        os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)
        return
    if may_link and status.st_size > _LINKED_BYTES:
        copy.symlink_to(source)
        return
    try:
        reading = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:  # the copy cannot be read either, so a build that reads it fails as in the original
        copy.touch(mode=0)
        return
    try:
        writing = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            _copy_bytes(reading, writing)
            os.fchmod(writing, status.st_mode & 0o777 | 0o600)
            os.utime(writing, ns=(status.st_atime_ns, status.st_mtime_ns))
        finally:
            os.close(writing)
    except OSError as error:
        if error.filename is None:
            raise OSError(error.errno, error.strerror, str(copy)) from error
        raise
    finally:
        os.close(reading)


def _copy_bytes(reading: int, writing: int) -> None:
    """Copy the contents of a file; file systems that can share blocks do so."""
    try:
        while os.copy_file_range(reading, writing, 1 << 30):
            pass
    except AttributeError:  # macOS
        pass
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    while content := memoryview(os.read(reading, 1 << 20)):
        while content:
            content = content[os.write(writing, content) :]
