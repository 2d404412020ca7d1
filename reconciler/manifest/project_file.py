"""The pyproject.toml of a local directory, with the place of each key, for messages about what it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.errors import Place, Problem
from reconciler.manifest.input_files import InputFiles
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.pyproject import Pyproject, parse_toml, static_content
from reconciler.manifest.requirements_line import relative_to
from reconciler.manifest.source_text import KeyPath, format_key_path, problem_at, unquoted_error, unquoted_problem
from reconciler.manifest.text_file import UnreadableFileError


@dataclass(slots=True, kw_only=True)
class ProjectFile:
    """A pyproject.toml: its directory (absolute), its path for messages, its tables, and its static content.

    `quotable` says whether errors may show its text.
    """

    directory: Path
    shown: str
    lines: tuple[str, ...]
    document: Mapping[str, Any] = field(repr=False)
    pyproject: Pyproject
    quotable: bool
    _places: Mapping[KeyPath, tuple[int, int, int]] | None = None

    def table(self, *keys: str) -> Mapping[str, Any]:
        """Return the table at a key path; an empty one if it is missing or something else."""
        found: Any = self.document
        for key in keys:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    def tables(self, *keys: str) -> tuple[Mapping[str, Any], ...]:
        """Return the tables of a list (`[[tool.uv.index]]`)."""
        found = self.table(*keys[:-1]).get(keys[-1])
        return tuple(each for each in found if isinstance(each, Mapping)) if isinstance(found, list) else ()

    def place(self, path: KeyPath) -> Place:
        """Return the place of a key or list item, or of the closest table that contains it."""
        if self._places is None:
            from reconciler.manifest.toml_places import toml_places  # only for a file that is named, to start quickly

            self._places = toml_places("\n".join(self.lines))
        while path and path not in self._places:
            path = path[:-1]
        line, column, width = self._places.get(path, (1, 1, 1))
        return Place(file=self.shown, line=line, column=column, width=width)

    def problem(self, message: str, path: KeyPath, *, hint: str) -> Problem:
        """Return a problem at the place of a key or list item."""
        if not self.quotable:
            return unquoted_problem(self.place(path))
        return problem_at(self.place(path), self.lines, message, path=format_key_path(path), hint=hint)


class ProjectFiles:
    """Reads each pyproject.toml once.

    `directory` is the manifest's, `shown_directory` the same as the user named it.
    """

    def __init__(self, *, directory: Path, shown_directory: Path, files: InputFiles) -> None:
        self.directory = directory
        self.files = files
        self._shown_directory = shown_directory
        self._read: dict[Path, ProjectFile | InvalidTextError | None] = {}

    def read(self, directory: Path) -> ProjectFile | None:
        """Return the pyproject.toml in an absolute directory, None if it has none.

        Raises InvalidTextError, which names the file, if it cannot be read or is not valid.
        """
        if directory not in self._read:
            try:
                self._read[directory] = self._parse(directory)
            except InvalidTextError as error:
                self._read[directory] = error
        found = self._read[directory]
        if isinstance(found, InvalidTextError):
            raise found
        return found

    def shown(self, path: Path) -> str:
        """Return an absolute path for messages: from the manifest's directory, as the user named that."""
        return (self._shown_directory / relative_to(str(path), self.directory)).as_posix()

    def _parse(self, directory: Path) -> ProjectFile | None:
        path = directory / "pyproject.toml"
        if not self.files.contains(directory):  # a directory above the project, where uv looks for a workspace
            return None
        shown = self.shown(path)
        quotable = True
        try:
            self.files.require(path)  # it may be a link
            if not self.files.is_file(path):
                return None
            file = self.files.text(path)
            text, quotable = file.text, file.quotable
            document = parse_toml(text)
            pyproject = static_content(document, fallback_name="")
        except UnreadableFileError as error:
            raise error.invalid_text(shown) from error
        except InvalidTextError as error:
            if not quotable:
                raise unquoted_error(shown) from error
            raise InvalidTextError(f"{shown}: {error.message}", hint=error.hint) from error
        return ProjectFile(
            directory=directory,
            shown=shown,
            lines=tuple(text.replace("\r\n", "\n").split("\n")),
            document=document,
            pyproject=pyproject,
            quotable=quotable,
        )
