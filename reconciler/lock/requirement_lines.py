"""The requirements of an environment as lines in pip's format, and the copies that replace source directories."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.lock.build_copy import copy_for_build
from reconciler.manifest.desired import DesiredEnvironment, RequirementLine
from reconciler.processes.scratch import scratch_directory


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementLines:
    """The lines to resolve, those that replace the same requirements in built metadata, and a directory.

    The directory (without symbolic links) is for the output, and has the copies.

    `bases` are the directories below which the copies have the same paths as their originals (`copy_for_build`).
    """

    lines: tuple[str, ...]
    directory: Path
    overrides: tuple[str, ...]
    bases: tuple[Path, ...]

    def original(self, path: str) -> str:
        """Return the path (absolute, or relative to the directory) without links, with an original for a copy."""
        real = Path(os.path.realpath(self.directory / path))
        for base in self.bases:
            if real.is_relative_to(base):
                return os.path.realpath(Path("/") / real.relative_to(base))
        return str(real)


@contextmanager
def requirement_lines(environment: DesiredEnvironment, *, build: bool) -> Iterator[RequirementLines]:
    """Yield the requirements of `environment`; the copies exist while the block runs.

    A directory is copied if its metadata may have to be built, so that the build writes nothing into the source.
    """
    with scratch_directory("source") as scratch:
        bases: list[Path] = []
        copy_of: dict[Path, Path] = {}  # two URLs of one project would be a conflict

        def place(source: Path, *, copied: bool) -> Path:
            if not copied:
                return source
            if source not in copy_of:
                bases.append(scratch.resolve() / str(len(bases)))
                bases[-1].mkdir()
                copy_of[source] = copy_for_build(source, bases[-1])
            return copy_of[source]

        lines: list[str] = []
        overrides: list[str] = []
        for line in environment.requirements:
            if line.path is None:
                lines.append(" ".join([line.text, *(f"--hash={each}" for each in line.hashes)]))
            else:
                local = _local_line(line, place(line.path, copied=build and line.path.is_dir()))
                (overrides if line.replaces else lines).append(local)
        project = environment.project
        if project is not None:
            where = place(project.path, copied=build and not project.static)
            lines += [_line(where, editable=project.editable, extras=project.extras), *project.requirements]
        yield RequirementLines(
            lines=tuple(lines), overrides=tuple(overrides), directory=scratch.resolve(), bases=tuple(bases)
        )


def _local_line(line: RequirementLine, path: Path) -> str:
    hashes = "".join(f" --hash={each}" for each in line.hashes)
    named = f"{line.name}{_extras(line.extras)} @ " if line.name and not line.editable else ""
    if named:  # uv then refuses a project that has another name
        return f"{named}{path.as_uri()}" + (f" ; {line.marker}" if line.marker else "") + hashes
    return _line(path, editable=line.editable, extras=line.extras, marker=line.marker) + hashes


def _line(path: Path, *, editable: bool, extras: tuple[str, ...], marker: str = "") -> str:
    """Return a local directory or archive as a line: its URL, in which spaces and dollar signs have no meaning."""
    option = "-e " if editable else ""
    return option + path.as_uri() + _extras(extras) + (f" ; {marker}" if marker else "")


def _extras(extras: tuple[str, ...]) -> str:
    return f"[{','.join(extras)}]" if extras else ""
