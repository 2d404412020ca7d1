"""The requirements of an environment as lines in pip's format, and the copies that replace source directories."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.lock.sources import copy_source
from reconciler.manifest.desired import DesiredEnvironment, RequirementLine
from reconciler.processes.scratch import scratch_directory


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementLines:
    """The lines to resolve, and those that replace the same requirements in built metadata.

    `copies` maps the real path of each copy to the directory that it was copied from.
    """

    lines: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    copies: dict[str, Path] = field(default_factory=dict)


@contextmanager
def requirement_lines(environment: DesiredEnvironment, *, build: bool) -> Iterator[RequirementLines]:
    """Yield the requirements of `environment`; the copies exist while the block runs.

    A directory is copied if its metadata may have to be built, so that the build writes nothing into the source.
    """
    with scratch_directory("source") as scratch:
        copies: dict[str, Path] = {}
        copy_of: dict[Path, Path] = {}  # two URLs of one project would be a conflict

        def place(source: Path, *, copied: bool) -> Path:
            if not copied:
                return source
            if source not in copy_of:
                copy = copy_of[source] = scratch.resolve() / str(len(copies)) / source.name
                copy_source(source, copy)
                copies[str(copy)] = source
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
        yield RequirementLines(lines=tuple(lines), overrides=tuple(overrides), copies=copies)


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
