"""Workspaces of uv (`[tool.uv.workspace]`): the root that a directory belongs to, and the members by name.

The names of members are never looked up on an index: they are the names of local directories.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from packaging.utils import canonicalize_name

from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.paths import is_within
from reconciler.manifest.project_file import ProjectFile, ProjectFiles
from reconciler.manifest.text_file import UnreadableFileError

MOST_DIRECTORIES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A workspace: the pyproject.toml of its root, and the directory of each member by its normalized name."""

    root: ProjectFile
    members: Mapping[str, Path]


class Workspaces:
    """Finds workspaces, each once."""

    def __init__(self, projects: ProjectFiles) -> None:
        self._projects = projects
        self._found: dict[Path, Workspace] = {}

    def of(self, directory: Path) -> Workspace | None:
        """Return the workspace whose root or member is `directory`; raises InvalidTextError.

        As in uv, the closest directory above it with a `[tool.uv.workspace]` decides.
        """
        for above in (directory, *directory.parents):
            file = self._projects.read(above)
            if file is None or "workspace" not in file.table("tool", "uv"):
                continue
            workspace = self._workspace(file)
            return workspace if above == directory or directory in workspace.members.values() else None
        return None

    def _workspace(self, root: ProjectFile) -> Workspace:
        if root.directory not in self._found:
            members: dict[str, Path] = {}
            for directory in (root.directory, *self._member_directories(root)):
                file = self._projects.read(directory)
                if file is not None and file.pyproject.name:
                    members.setdefault(canonicalize_name(file.pyproject.name), directory)
                elif file is None:
                    self._projects.files.names(directory)  # a pyproject.toml that is added would be a change
            self._found[root.directory] = Workspace(root=root, members=members)
        return self._found[root.directory]

    def _member_directories(self, root: ProjectFile) -> Iterator[Path]:
        """Yield the directories with a pyproject.toml that `members` matches and `exclude` does not."""
        table = root.table("tool", "uv", "workspace")
        excluded = [PurePosixPath(each).parts for each in _texts(table.get("exclude"))]
        for pattern in _texts(table.get("members")):
            for directory in self._matches(root.directory, PurePosixPath(pattern).parts):
                parts = PurePosixPath(directory.relative_to(root.directory).as_posix()).parts
                if not any(_fits(parts, each) for each in excluded):
                    yield directory

    def _matches(self, top: Path, pattern: tuple[str, ...]) -> Iterator[Path]:
        """Yield the directories below `top` that a glob matches; raises InvalidTextError if it matches too many."""
        waiting = [(top, pattern)]
        seen: set[tuple[Path, tuple[str, ...]]] = set()
        while waiting:
            directory, rest = waiting.pop(0)
            if (directory, rest) in seen:
                continue
            seen.add((directory, rest))
            if len(seen) > MOST_DIRECTORIES:
                shown = self._projects.shown(top / "pyproject.toml")
                message = f"{shown}: `tool.uv.workspace.members` matches more than {MOST_DIRECTORIES} directories"
                raise InvalidTextError(message, hint="list the members without `**`")
            if not rest:
                if directory != top and is_within(directory, top):
                    yield directory
                continue
            part, following = rest[0], rest[1:]
            if part in {".", ".."}:
                waiting.append((directory if part == "." else directory.parent, following))
            elif not any(each in part for each in "*?["):
                if self._is_directory(directory / part, top):
                    waiting.append((directory / part, following))
                else:
                    self._projects.files.names(directory / part)  # so would be a directory
            else:
                if part == "**":
                    waiting.append((directory, following))
                for name in self._projects.files.names(directory):
                    fits = not name.startswith(".") and (part == "**" or fnmatchcase(name, part))
                    if fits and self._is_directory(directory / name, top):
                        waiting.append((directory / name, rest if part == "**" else following))

    def _is_directory(self, path: Path, top: Path) -> bool:
        """Return whether a path is a directory; raises InvalidTextError for a link to a project that is out of reach.

        uv, which reads the workspace too, would follow it.
        """
        files = self._projects.files
        if files.is_directory(path):
            return True
        if is_within(path, top) and path.is_symlink() and (path / "pyproject.toml").exists():
            try:
                files.require(path, is_project=True)
            except UnreadableFileError as error:
                raise error.invalid_text(self._projects.shown(path)) from error
        return False


def _fits(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Return whether a relative path, or a directory above it, matches a glob."""
    if not pattern:
        return True
    if pattern[0] == "**":
        return _fits(parts, pattern[1:]) or (bool(parts) and _fits(parts[1:], pattern))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
