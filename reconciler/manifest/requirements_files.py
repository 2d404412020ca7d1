"""Reads requirements and constraints files in pip's format with their includes; errors have a line and column."""

import os
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import assert_never

from packaging.requirements import Requirement

from reconciler.backticks import in_backticks
from reconciler.errors import Place, Problem
from reconciler.manifest.control_characters import unprintable_characters
from reconciler.manifest.desired import Index, RequirementLine
from reconciler.manifest.index_option import check_index_option
from reconciler.manifest.input_files import InputFiles
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.logical_lines import logical_lines
from reconciler.manifest.problem_limit import MOST_PROBLEMS
from reconciler.manifest.requirements_line import (
    Include,
    IndexOption,
    Line,
    LocalRequirement,
    NamedRequirement,
    parse_requirements_line,
    relative_to,
)
from reconciler.manifest.source_text import problem_at, unquoted_problem
from reconciler.manifest.text_file import UnreadableFileError
from reconciler.manifest.urls import directory_of_url, path_of_direct_url, validate_index_url

_MAX_INCLUDE_DEPTH = 32  # files
_MOST_LINES = 20_000  # of one file, without comments
_MOST_OTHERS = 500  # lines that are not requirements with a name; most of them name a file, which is looked for
_MISSING_HINT = "correct the path, which is relative to the manifest"


@dataclass(frozen=True, slots=True, kw_only=True)
class _ParsedFile:
    """One file without its includes: `shown` is its path for messages, and each of `entries` has its place.

    `quotable` says whether errors may show its text.
    """

    shown: str
    lines: tuple[str, ...]
    quotable: bool
    entries: tuple[tuple[Line, Place], ...]

    def problem(self, place: Place, error: InvalidTextError) -> Problem:
        """Return the problem of an invalid line."""
        if not self.quotable:
            return unquoted_problem(place)
        return problem_at(place, self.lines, error.message, hint=error.hint)


@dataclass(slots=True, kw_only=True)
class CollectedRequirements:
    """The requirements and constraints of a file and its includes.

    `files` are the paths read, each as requirements (False) or as constraints (True). `chosen` are the names of the
    indexes that the environment uses (empty: all).
    """

    requirements: list[RequirementLine] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    chosen: tuple[str, ...]
    files: set[tuple[Path, bool]] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class RequirementsFiles:
    """Reads requirements and constraints files for a manifest in `directory`; adds errors to `problems`.

    Included files are relative to the file that includes them. Local projects are relative to the manifest's
    directory; for pip they are relative to the working directory.
    """

    directory: Path
    shown_directory: Path
    files: InputFiles
    indexes: tuple[Index, ...]
    problems: list[Problem]
    _parsed: dict[Path, _ParsedFile] = field(default_factory=dict)

    def read(self, name: str, *, constraints: bool, chosen: tuple[str, ...] = ()) -> CollectedRequirements:
        """Return the requirements and constraints of a file and its includes; each file is read once.

        `chosen` are the names of the indexes that the environment uses (empty: all). With `constraints` the file is a
        constraints file. Raises InvalidTextError if the file itself cannot be read.
        """
        path = self._absolute(self.directory, name)
        try:
            if not name.endswith((".txt", ".in")):
                self._refuse_foreign(name, path)
            parsed = self._parse(path, self._shown(self.shown_directory, name))
        except UnreadableFileError as error:
            invalid = error.invalid_text(name)
            if error.missing:
                packages = "" if constraints else "; the names of packages belong in `packages`"
                invalid.hint = f"{_MISSING_HINT}{packages}"
            raise invalid from error
        collected = CollectedRequirements(chosen=chosen)
        self._collect(parsed, (path,), collected, constraints=constraints)
        return collected

    def _refuse_foreign(self, name: str, path: Path) -> None:
        """Raise InvalidTextError if a file belongs to another tool, and UnreadableFileError if it cannot be read."""
        from reconciler.manifest.foreign_files import foreign_file_hint

        file = self.files.text(path, any_unicode=True)
        if hint := foreign_file_hint(name, file.text if file.quotable else ""):
            raise InvalidTextError("not a requirements file", hint=hint)

    def _collect(
        self, parsed: _ParsedFile, trail: tuple[Path, ...], collected: CollectedRequirements, *, constraints: bool
    ) -> None:
        if (trail[-1], constraints) in collected.files:
            return
        collected.files.add((trail[-1], constraints))
        for line, place in parsed.entries:
            try:
                match line:
                    case Include():
                        included, included_trail = self._include(line, parsed, trail, constraints=constraints)
                        self._collect(included, included_trail, collected, constraints=line.constraints)
                    case NamedRequirement() if constraints:
                        require_local_url(line.text, self.files)
                        collected.constraints.append(_constraint(line))
                    case NamedRequirement():
                        require_local_url(line.text, self.files)
                        source = str(place)
                        collected.requirements.append(
                            RequirementLine(text=line.text, source=source, hashes=line.hashes)
                        )
                    case IndexOption():
                        path = self._links(line, trail[-1].parent)
                        check_index_option(line, path, self.indexes, collected.chosen, self.directory)
                    case LocalRequirement():
                        collected.requirements.append(self._local(line, place, constraints=constraints))
                    case _:
                        assert_never(line)
            except InvalidTextError as error:
                self.problems.append(parsed.problem(place, error))
                if len(self.problems) > MOST_PROBLEMS:
                    return

    def _include(
        self, include: Include, parsed: _ParsedFile, trail: tuple[Path, ...], *, constraints: bool
    ) -> tuple[_ParsedFile, tuple[Path, ...]]:
        if constraints and not include.constraints:
            hint = "write `-c`: a constraints file can only include other constraints files"
            raise InvalidTextError("`-r` is not allowed in a constraints file", hint=hint)
        path = self._absolute(trail[-1].parent, include.path)
        if path in trail:
            through = " through other files" if path != trail[-1] else ""
            raise InvalidTextError(f"include cycle: the file includes itself{through}", hint="remove this line")
        if len(trail) == _MAX_INCLUDE_DEPTH:
            raise InvalidTextError(f"includes are nested deeper than {_MAX_INCLUDE_DEPTH} files", hint="")
        try:
            return self._parse(path, self._shown(Path(parsed.shown).parent, include.path)), (*trail, path)
        except UnreadableFileError as error:
            raise error.invalid_text(include.path) from error

    def _links(self, line: IndexOption, beside: Path) -> Path | None:
        """Return the directory that an option means: relative to its file if it exists there, as for pip."""
        if "://" in line.value or not line.value:
            return directory_of_url(validate_index_url(line.value)) if line.value else None
        candidates = (Path(os.path.normpath(each / line.value)) for each in (beside, self.directory))
        return next(
            (each for each in candidates if self.files.is_directory(each, of_index=True)), self.directory / line.value
        )

    def _local(self, line: LocalRequirement, place: Place, *, constraints: bool) -> RequirementLine:
        if constraints:
            hint = "write a package name with a version specifier"
            raise InvalidTextError("local paths are not allowed in a constraints file", hint=hint)
        try:
            self.files.require(self.directory / line.path, is_project=True)
            path = self.files.real(self.directory / line.path)
            is_project = self.files.is_directory(path) and self.files.has_build_file(path)
        except UnreadableFileError as error:
            raise error.invalid_text(line.path) from error
        if self.files.is_directory(path):
            if not is_project:
                message = (
                    f"not a Python project: {in_backticks(line.path)} has no `pyproject.toml`, `setup.py` or "
                    "`setup.cfg`"
                )
                raise InvalidTextError(message, hint="write the path of a project's directory")
            if line.hashes:
                raise InvalidTextError("hashes are not allowed for directories", hint="remove `--hash`")
        elif line.editable or not self.files.is_file(path):
            hint = "correct the path: local paths are relative to the manifest's directory"
            kind = "directory" if line.editable else "file or directory"
            raise InvalidTextError(f"no such {kind}: {in_backticks(line.path)}", hint=hint)
        text = ("-e " if line.editable else "") + relative_to(line.path, self.directory)
        text += f"[{','.join(line.extras)}]" if line.extras else ""
        text += f" ; {line.marker}" if line.marker else ""
        return RequirementLine(
            text=text,
            source=str(place),
            hashes=line.hashes,
            path=path,
            editable=line.editable,
            extras=line.extras,
            marker=line.marker,
        )

    def _parse(self, path: Path, shown: str) -> _ParsedFile:
        """Return the parsed file, and report its errors when it is first read; raises UnreadableFileError."""
        if path not in self._parsed:
            content = self.files.text(path, any_unicode=True)
            lines = tuple(content.text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
            entries: list[tuple[Line, Place]] = []
            others = 0
            parsed = _ParsedFile(shown=shown, lines=lines, quotable=content.quotable, entries=())
            bad = list(unprintable_characters(lines))
            for number, column, character in bad:
                error = InvalidTextError(f"control characters are not allowed: `{character}`", hint="remove it")
                self.problems.append(parsed.problem(Place(file=shown, line=number, column=column), error))
            for line in () if bad else logical_lines(lines):
                if too_many := _too_many(len(entries), others):
                    self.problems.append(parsed.problem(line.place(shown), too_many))
                    break
                try:
                    parsed_line = parse_requirements_line(line.text)
                except InvalidTextError as error:
                    self.problems.append(parsed.problem(line.place(shown, error.offset, error.width), error))
                    if len(self.problems) > MOST_PROBLEMS:
                        break
                else:
                    others += not isinstance(parsed_line, NamedRequirement)
                    entries.append((parsed_line, line.place(shown)))
            self._parsed[path] = replace(parsed, entries=tuple(entries))
        return self._parsed[path]

    @staticmethod
    def _absolute(directory: Path, name: str) -> Path:
        return Path(os.path.normpath(directory.absolute() / name))

    @staticmethod
    def _shown(directory: Path, name: str) -> str:
        return os.path.normpath(directory / name)


def require_local_url(requirement: str, files: InputFiles) -> None:
    """Raise InvalidTextError if a valid requirement has a `file:` URL of what must not be read."""
    if "file:" not in requirement.lower():
        return
    path = path_of_direct_url(Requirement(requirement).url or "")
    if path is None:
        return
    try:
        files.require(path, is_project=True)
        if files.is_directory(path):
            files.has_build_file(path)  # the engine reads them
    except UnreadableFileError as error:
        raise error.invalid_text(str(path)) from error


def _constraint(line: NamedRequirement) -> str:
    if line.hashes:
        hint = "remove `--hash`: the lock contains the hash of every file"
        raise InvalidTextError("hashes are not allowed in a constraints file", hint=hint)
    if _has_extras(line.text):
        hint = "remove the extra here, and add it to the requirement"
        raise InvalidTextError("extras are not allowed in a constraints file", hint=hint)
    return line.text


@lru_cache(maxsize=65536)  # the constraints of one file are those of many environments
def _has_extras(text: str) -> bool:
    return bool(Requirement(text).extras)


def _too_many(lines: int, others: int) -> InvalidTextError | None:
    """Return the error of a file that already has so many lines, and so many that are not requirements with a name."""
    if lines == _MOST_LINES:
        return InvalidTextError(f"more than {_MOST_LINES:,} lines", hint="divide the file")
    if others == _MOST_OTHERS:
        return InvalidTextError(f"more than {_MOST_OTHERS} paths and options", hint="divide the file")
    return None
