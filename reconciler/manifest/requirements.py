"""Requirements files in pip's format: includes followed, constraints apart, every error with its line and column."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from packaging.requirements import Requirement

from reconciler.errors import Place, Problem
from reconciler.manifest.characters import unprintable
from reconciler.manifest.desired import RequirementLine
from reconciler.manifest.input_files import InputFiles
from reconciler.manifest.logical_lines import logical_lines
from reconciler.manifest.refusal import RefusedError
from reconciler.manifest.requirements_line import Include, Line, Local, Named, parse_line, relative_to
from reconciler.manifest.source_text import problem_at
from reconciler.manifest.text_file import UnreadableFileError

_DEEPEST = 32  # files that include each other


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parsed:
    """A file's own lines, each with its place."""

    shown: str
    lines: tuple[str, ...]
    entries: tuple[tuple[Line, Place], ...]


@dataclass(slots=True, kw_only=True)
class Collected:
    """What a file and its includes ask for; `files` are those read, as requirements (False) or constraints (True)."""

    requirements: list[RequirementLine] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    files: set[tuple[Path, bool]] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class RequirementsFiles:
    """Reads requirements and constraints files for a manifest in `directory`; what is wrong goes to `problems`.

    Includes are relative to the file that names them; local projects to the manifest's directory, which stands for
    the directory that pip would have been started in.
    """

    directory: Path
    shown_directory: Path
    files: InputFiles
    problems: list[Problem] = field(default_factory=list)
    _parsed: dict[Path, _Parsed] = field(default_factory=dict)

    def read(self, name: str, *, constraints: bool) -> Collected:
        """Return the requirements and constraints of a file and of all that it includes, each file once.

        With `constraints` the file itself holds constraints. Raises RefusedError if that one file cannot be read.
        """
        path = self._absolute(self.directory, name)
        try:
            parsed = self._parse(path, self._shown(self.shown_directory, name))
        except UnreadableFileError as error:
            raise error.refused(name) from error
        collected = Collected()
        self._collect(parsed, (path,), collected, constraints=constraints)
        return collected

    def _collect(self, parsed: _Parsed, trail: tuple[Path, ...], collected: Collected, *, constraints: bool) -> None:
        if (trail[-1], constraints) in collected.files:
            return
        collected.files.add((trail[-1], constraints))
        for line, place in parsed.entries:
            try:
                match line:
                    case Include():
                        included, way = self._include(line, parsed, trail, constraints=constraints)
                        self._collect(included, way, collected, constraints=line.constraints)
                    case Named() if constraints:
                        collected.constraints.append(_constraint(line))
                    case Named():
                        source = str(place)
                        collected.requirements.append(
                            RequirementLine(text=line.text, source=source, hashes=line.hashes)
                        )
                    case Local():
                        collected.requirements.append(self._local(line, place, constraints=constraints))
                    case _:
                        assert_never(line)
            except RefusedError as refusal:
                self.problems.append(problem_at(place, parsed.lines, refusal.message, hint=refusal.hint))

    def _include(
        self, include: Include, parsed: _Parsed, trail: tuple[Path, ...], *, constraints: bool
    ) -> tuple[_Parsed, tuple[Path, ...]]:
        if constraints and not include.constraints:
            hint = "write -c: what constraints include are constraints"
            raise RefusedError("-r in a constraints file", hint=hint)
        path = self._absolute(trail[-1].parent, include.path)
        if path in trail:
            raise RefusedError("a circle: the file includes itself" + (" through others" if path != trail[-1] else ""))
        if len(trail) == _DEEPEST:
            raise RefusedError(f"more than {_DEEPEST} files that include each other")
        try:
            return self._parse(path, self._shown(Path(parsed.shown).parent, include.path)), (*trail, path)
        except UnreadableFileError as error:
            raise error.refused(include.path) from error

    def _local(self, line: Local, place: Place, *, constraints: bool) -> RequirementLine:
        if constraints:
            raise RefusedError("a local path in a constraints file", hint="a constraint is a name with versions")
        path = self.files.real(self.directory / line.path)
        if self.files.is_directory(path):
            if not any(self.files.is_file(path / each) for each in ("pyproject.toml", "setup.py", "setup.cfg")):
                raise RefusedError(f"no project in {line.path}", hint="it has no pyproject.toml, setup.py or setup.cfg")
            if line.hashes:
                raise RefusedError("a hash for a directory", hint="only files have hashes; remove it")
        elif line.editable or not self.files.is_file(path):
            hint = "local paths are relative to the manifest's directory"
            raise RefusedError(
                f"no such {'directory' if line.editable else 'file or directory'}: {line.path}", hint=hint
            )
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

    def _parse(self, path: Path, shown: str) -> _Parsed:
        """Return the parsed file, its own problems reported once; raises UnreadableFileError."""
        if path not in self._parsed:
            content = self.files.text(path, any_unicode=True)
            lines = tuple(content.text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
            entries: list[tuple[Line, Place]] = []
            bad = list(unprintable(lines))
            for number, column, character in bad:
                place = Place(file=shown, line=number, column=column)
                self.problems.append(problem_at(place, lines, f"a control character: {character}"))
            for line in () if bad else logical_lines(lines):
                try:
                    entries.append((parse_line(line.text), line.place(shown)))
                except RefusedError as refusal:
                    place = line.place(shown, refusal.offset, refusal.width)
                    self.problems.append(problem_at(place, lines, refusal.message, hint=refusal.hint))
            self._parsed[path] = _Parsed(shown=shown, lines=lines, entries=tuple(entries))
        return self._parsed[path]

    @staticmethod
    def _absolute(directory: Path, name: str) -> Path:
        return Path(os.path.normpath(directory.absolute() / name))

    @staticmethod
    def _shown(directory: Path, name: str) -> str:
        return os.path.normpath(directory / name)


def _constraint(line: Named) -> str:
    if line.hashes:
        hint = "put the hashes beside the requirement; the lock records one for every file"
        raise RefusedError("a hash in a constraints file", hint=hint)
    if Requirement(line.text).extras:
        raise RefusedError("a constraint has no extras", hint="ask for the extra in `packages`")
    return line.text
