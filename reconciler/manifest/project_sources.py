"""Translates where a project's pyproject.toml says that packages come from into requirements (PEP 508) and paths.

uv, Poetry and PDM obey these tables, but the metadata of the project does not contain them. A source that cannot be
translated is refused at its place, because a package of the same name on an index is a different package. See
docs/design.md, "Lock".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import canonicalize_name

from reconciler.backticks import in_backticks
from reconciler.errors import Problem
from reconciler.manifest.desired import DesiredEnvironment, Index, LocalProject, RequirementLine
from reconciler.manifest.input_files import InputFiles
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.package_sources import (
    PackageSource,
    SourceEntry,
    SourceError,
    direct_requirement,
    invalid_source,
    poetry_sources,
    uv_sources,
)
from reconciler.manifest.project_file import ProjectFile, ProjectFiles
from reconciler.manifest.pyproject import both_markers
from reconciler.manifest.requirement import normalize_requirement
from reconciler.manifest.requirements_line import relative_to
from reconciler.manifest.resolver_settings import TakenOver, refused_build_settings, take_over
from reconciler.manifest.source_indexes import check_index
from reconciler.manifest.source_text import unquoted_error
from reconciler.manifest.text_file import UnreadableFileError
from reconciler.manifest.urls import directory_of_url, path_of_direct_url
from reconciler.manifest.uv_workspace import Workspace, Workspaces


@dataclass(slots=True, kw_only=True)
class Translated:
    """What the sources of an environment's local projects mean.

    `requirements` are further requirements. `overrides` replace the same requirements in built metadata. `local_names`
    are the normalized names of packages that must not come from an index.
    """

    requirements: dict[RequirementLine, None] = field(default_factory=dict)
    overrides: dict[str, None] = field(default_factory=dict)
    local_names: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """A local directory whose requirements are followed; `marker` is that of the requirement that names it."""

    directory: Path
    extras: tuple[str, ...]
    groups: tuple[str, ...] = ()
    marker: Marker | None = None

    @property
    def key(self) -> tuple[Path, tuple[str, ...], tuple[str, ...], str]:
        return self.directory, self.extras, self.groups, str(self.marker or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A package that a project requests, and where that is written; `text` is the requirement.

    `built` means that only a build shows whether the project requests it.
    """

    name: str
    text: str
    extras: tuple[str, ...]
    marker: Marker | None
    file: ProjectFile
    path: tuple[str | int, ...]
    extra: str
    group: str
    url: str
    built: bool

    def fits(self, source: PackageSource | SourceError) -> bool:
        """Return whether a source is for this requirement; one that is not understood always is."""
        return isinstance(source, SourceError) or (
            source.extra in {"", self.extra} and source.group in {"", self.group}
        )


class ProjectSources:
    """Translates for one manifest in `directory`; `indexes` are the manifest's. Adds errors to `problems`."""

    def __init__(
        self,
        *,
        directory: Path,
        shown_directory: Path,
        files: InputFiles,
        indexes: Sequence[Index],
        problems: list[Problem],
    ) -> None:
        self.projects = ProjectFiles(directory=directory, shown_directory=shown_directory, files=files)
        self.workspaces = Workspaces(self.projects)
        self._directory = directory
        self._files = files
        self._indexes = indexes
        self._problems = problems

    def add_to(self, environment: DesiredEnvironment) -> DesiredEnvironment:
        """Return the environment with what its local projects say for uv, Poetry and PDM; it was expanded without."""
        project = environment.project
        if project is None and all(line.path is None for line in environment.requirements):
            return environment
        found = self.translate(project, environment.requirements)
        taken = TakenOver() if project is None else self._settings(project.path, environment)
        lines = dict.fromkeys((*environment.requirements, *found.requirements))
        unique = {(line.text, line.hashes, line.replaces): line for line in reversed(lines)}
        return replace(
            environment,
            requirements=tuple(reversed(unique.values())),
            constraints=tuple(dict.fromkeys((*environment.constraints, *taken.constraints))),
            overrides=tuple(dict.fromkeys((*environment.overrides, *taken.overrides, *found.overrides))),
            local_names=tuple(sorted(found.local_names)),
        )

    def check_builds(self, environment: DesiredEnvironment, directory: Path) -> None:
        """Report the build settings of the pyproject.toml next to a uv.lock in `directory`, which uv would use."""
        try:
            file = self.projects.read(directory)
            self.workspaces.of(directory)  # uv reads the members too
        except InvalidTextError as error:
            self._problems.append(Problem(message=error.message, hint=error.hint or None))
        else:
            self._problems += [] if file is None else refused_build_settings(file, environment)

    def _settings(self, directory: Path, environment: DesiredEnvironment) -> TakenOver:
        """Return the constraints and overrides of a project or of its workspace."""
        try:
            own = self.projects.read(directory)
            workspace = self.workspaces.of(directory)
        except InvalidTextError:  # `translate` reported it
            return TakenOver()
        if own is None:
            return TakenOver()
        settings = workspace.root if workspace is not None else own
        return take_over(settings, own, environment, self._indexes, self._problems.append)

    def translate(self, project: LocalProject | None, lines: Iterable[RequirementLine]) -> Translated:
        """Return the translation for `project` and the local directories of `lines`, and for those that they name."""
        found = Translated()
        waiting = [
            _Visit(directory=line.path, extras=line.extras, marker=Marker(line.marker) if line.marker else None)
            for line in lines
            if line.path is not None and self._files.is_directory(line.path)
        ]
        own = None
        if project is not None:
            own = project.path
            waiting.insert(0, _Visit(directory=project.path, extras=project.extras, groups=project.groups))
        seen = set()
        while waiting:
            visit = waiting.pop(0)
            if visit.key in seen:
                continue
            seen.add(visit.key)
            try:
                file = self.projects.read(visit.directory)
                workspace = self.workspaces.of(visit.directory)
                if file is not None:
                    waiting += self._visit(visit, file, workspace, own, found)
            except InvalidTextError as error:
                self._problems.append(Problem(message=error.message, hint=error.hint or None))
        return found

    def _visit(
        self, visit: _Visit, file: ProjectFile, workspace: Workspace | None, own: Path | None, found: Translated
    ) -> list[_Visit]:
        """Translate the sources of one project, and return the local directories that they name."""
        members: Mapping[str, Path] = workspace.members if workspace else {}
        found.local_names |= {name for name, directory in members.items() if directory != own}
        sources: dict[str, SourceEntry] = {}
        if workspace is not None and file.table("tool", "uv").get("no-sources") is not True:
            sources |= uv_sources(workspace.root)
        sources |= {**poetry_sources(file), **uv_sources(file)}
        following = []
        for wanted in self._wanted(visit, file, sources):
            if wanted.url:
                following += self._directory_of_url(wanted)
                continue
            entry = sources.get(wanted.name)
            fitting = [] if entry is None else [each for each in entry.sources() if wanted.fits(each)]
            if not fitting and wanted.name in members and members[wanted.name] != visit.directory:
                message = (
                    f"`{wanted.name}` is a member of the workspace, but has no matching entry in `[tool.uv.sources]`"
                )
                hint = f"add `{wanted.name} = {{ workspace = true }}` to `[tool.uv.sources]`"
                self._problems.append(wanted.file.problem(message, wanted.path, hint=hint))
            for source in fitting:
                try:
                    if isinstance(source, SourceError):
                        raise source
                    following += self._translate(wanted, source, workspace, own, found)
                except SourceError as error:
                    self._problems.append(error.file.problem(error.message, error.path, hint=error.hint))
        return following

    def _wanted(self, visit: _Visit, file: ProjectFile, sources: Mapping[str, SourceEntry]) -> list[_Wanted]:
        """Return what a project requests; if only a build shows it, every package that has a source."""
        pyproject = file.pyproject
        try:
            found = [
                _Wanted(
                    name=each.requirement.name,
                    text=str(each.requirement),
                    extras=tuple(sorted(each.requirement.extras)),
                    marker=both_markers(visit.marker, each.requirement.marker),
                    file=file,
                    path=each.path,
                    extra=each.extra,
                    group=each.group,
                    url=each.requirement.url or "",
                    built=False,
                )
                for each in pyproject.requested(visit.extras, visit.groups)
            ]
        except InvalidTextError as error:
            if not file.quotable:
                raise unquoted_error(file.shown) from error
            raise InvalidTextError(f"{file.shown}: {error.message}", hint=error.hint) from error
        if not pyproject.static or "dependencies" in pyproject.dynamic:
            found += [
                _Wanted(
                    name=name,
                    text="",
                    extras=(),
                    marker=None,
                    file=file,
                    path=entry.path,
                    extra="",
                    group="",
                    url="",
                    built=True,
                )
                for name, entry in sources.items()
            ]
        return found

    def _directory_of_url(self, wanted: _Wanted) -> list[_Visit]:
        """Return the directory that a requirement `NAME @ file:///PATH` names, which may have sources itself."""
        directory = directory_of_url(wanted.url)
        try:
            if local := path_of_direct_url(wanted.url):
                self._files.require(local, is_project=True)
                if self._files.is_directory(local):
                    self._files.has_build_file(local)
        except UnreadableFileError as error:
            message = f"{local}: {error.message}"
            self._problems.append(wanted.file.problem(message, wanted.path, hint=error.hint))
            return []
        if directory is None or not self._files.is_directory(directory):
            return []
        return [_Visit(directory=self._files.real(directory), extras=wanted.extras, marker=wanted.marker)]

    def _translate(
        self, wanted: _Wanted, source: PackageSource, workspace: Workspace | None, own: Path | None, found: Translated
    ) -> list[_Visit]:
        """Translate one source of a package; raises SourceError if that is not possible."""
        marker = both_markers(wanted.marker, source.marker)
        if source.marker is not None and source.path[1] == "uv":
            self._request_elsewhere(wanted, source, found)
        extras = tuple(sorted({*wanted.extras, *source.extras}))
        match source.kind:
            case "index":
                check_index(wanted.name, source, self._indexes, workspace.root if workspace else None)
                return []
            case "git" | "url":
                try:
                    text = normalize_requirement(direct_requirement(wanted.name, source, extras, marker))
                except InvalidTextError as error:
                    raise invalid_source(error, source) from error
                if wanted.built:
                    found.overrides[text] = None
                else:
                    line = RequirementLine(text=text, source=str(source.file.place(source.path)))
                    found.requirements[line] = None
                return []
            case "workspace":
                path = self._member(wanted.name, source, workspace)
            case "path":
                path = self._path(wanted.name, source)
        if marker is None:
            found.local_names.add(wanted.name)
        if path == own:
            return []
        found.requirements[self._line(wanted, source, path, extras, marker)] = None
        return [_Visit(directory=path, extras=extras, marker=marker)] if self._files.is_directory(path) else []

    def _request_elsewhere(self, wanted: _Wanted, source: PackageSource, found: Translated) -> None:
        """Request the package where the marker of its source is false too; uv otherwise uses the source everywhere."""
        if wanted.built:
            message = "a source with a marker is not supported if only a build shows the dependencies"
            hint = "write `dependencies = [...]` in `[project]`, and remove it from `dynamic`"
            raise SourceError(message, source.file, source.path, hint=hint)
        line = RequirementLine(text=normalize_requirement(wanted.text), source=str(wanted.file.place(wanted.path)))
        found.requirements[line] = None

    def _member(self, name: str, source: PackageSource, workspace: Workspace | None) -> Path:
        if workspace is None or name not in workspace.members:
            message = f"`{name}` is not a member of a workspace"
            hint = f"add its directory to `members` in `[tool.uv.workspace]`, or write `{name} = {{ path = ... }}`"
            raise SourceError(message, source.file, source.path, hint=hint)
        return self._installable(name, source, workspace.members[name])

    def _path(self, name: str, source: PackageSource) -> Path:
        written = source.base / source.location / source.subdirectory
        try:
            self._files.require(written, is_project=True)
        except UnreadableFileError as error:
            message = f"{source.location}: {error.message}"
            raise SourceError(message, source.file, source.path, hint=error.hint) from error
        path = self._files.real(written)
        if not source.location or not (self._files.is_directory(path) or self._files.is_file(path)):
            missing = f"{source.location}/{source.subdirectory}" if source.subdirectory else source.location
            message = f"no such file or directory: {in_backticks(missing)}"
            hint = f"correct the path: it is relative to {in_backticks(source.file.shown)}"
            raise SourceError(message, source.file, source.path, hint=hint)
        return self._installable(name, source, path) if self._files.is_directory(path) else path

    def _installable(self, name: str, source: PackageSource, directory: Path) -> Path:
        """Return the directory of a project with this name; raises SourceError if it is something else."""
        try:
            file = self.projects.read(directory)
        except InvalidTextError as error:
            raise invalid_source(error, source) from error
        if file is None:
            if not self._has_build_file(directory, source):
                message = "not a Python project: the directory has no `pyproject.toml`, `setup.py` or `setup.cfg`"
                raise SourceError(message, source.file, source.path, hint="write the path of a project's directory")
        elif file.pyproject.name and canonicalize_name(file.pyproject.name) != name:
            named = in_backticks(file.pyproject.name) if file.quotable else "differently"
            message = f"the project there is named {named}, not `{name}`"
            raise SourceError(message, source.file, source.path, hint="correct the path or the name")
        elif file.table("tool", "uv").get("package") is False:
            message = f"`{name}` is not a package: its pyproject.toml says `package = false`"
            hint = "remove `package = false` there, or use uv's own lock: `lock: {from: uv.lock}`"
            raise SourceError(message, source.file, source.path, hint=hint)
        return self._files.real(directory)

    def _has_build_file(self, directory: Path, source: PackageSource) -> bool:
        try:
            return self._files.has_build_file(directory)
        except UnreadableFileError as error:
            message = f"{source.location}: {error.message}"
            raise SourceError(message, source.file, source.path, hint=error.hint) from error

    def _line(
        self, wanted: _Wanted, source: PackageSource, path: Path, extras: tuple[str, ...], marker: Marker | None
    ) -> RequirementLine:
        """Return the requirement of a local directory or archive, in the form of those of a requirements file."""
        editable = source.editable and self._files.is_directory(path)
        text = ("-e " if editable else "") + relative_to(str(path), self._directory)
        text += f"[{','.join(extras)}]" if extras else ""
        text += f" ; {marker}" if marker else ""
        return RequirementLine(
            text=text,
            source=str(source.file.place(source.path)),
            path=path,
            editable=editable,
            extras=extras,
            marker=str(marker or ""),
            name=wanted.name,
            replaces=wanted.built,
        )
