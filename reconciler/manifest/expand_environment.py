"""Expands one environment of the manifest, merged with its templates, to a DesiredEnvironment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from reconciler.backticks import in_backticks
from reconciler.canonical_json import digest
from reconciler.errors import Problem
from reconciler.manifest import defaults
from reconciler.manifest.bounds import MOST_REQUIREMENTS, too_many_requirements
from reconciler.manifest.desired import (
    BuildEnv,
    DependenciesProbe,
    DesiredEnvironment,
    Health,
    Hooks,
    IgnoreException,
    Index,
    LocalProject,
    LockSource,
    Probe,
    Public,
    RequirementLine,
)
from reconciler.manifest.hints import did_you_mean
from reconciler.manifest.inheritance import InheritedEntry
from reconciler.manifest.input_files import InputFiles
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.local_project import read_local_project
from reconciler.manifest.lock_source import read_lock_source
from reconciler.manifest.names import FROM_ENV, PUBLIC
from reconciler.manifest.project_sources import ProjectSources
from reconciler.manifest.requirements_files import RequirementsFiles, require_local_url
from reconciler.manifest.source_text import KeyPath, SourceText
from reconciler.manifest.times import today_in_utc

_LISTS = ("packages", "requirements", "constraints", "overrides")
_NOT_WITH_LOCK = (*_LISTS, "exclude_newer", "prerelease")


@dataclass(slots=True, kw_only=True)
class EnvironmentExpander:
    """Makes desired environments from manifest entries and the files that they name; adds errors to `problems`.

    `directory` is the manifest's directory, as the user named it. `today` (a date in UTC) decides which exceptions have
    expired. `indexes` are those of the manifest. `ambient` are the variables of the shell; with None, those that
    `build_env` takes from it count as empty.
    """

    source: SourceText
    directory: Path
    files: InputFiles
    indexes: tuple[Index, ...]
    problems: list[Problem] = field(default_factory=list)
    today: str = field(default_factory=today_in_utc)
    ambient: Mapping[str, str] | None = field(repr=False)
    requirements_left: int = MOST_REQUIREMENTS
    requirements_files: RequirementsFiles = field(init=False)
    project_sources: ProjectSources = field(init=False)

    def __post_init__(self) -> None:
        self.requirements_files = RequirementsFiles(
            directory=self.directory.absolute(),
            shown_directory=self.directory,
            files=self.files,
            indexes=self.indexes,
            problems=self.problems,
        )
        self.project_sources = ProjectSources(
            directory=self.directory.absolute(),
            shown_directory=self.directory,
            files=self.files,
            indexes=self.indexes,
            problems=self.problems,
        )

    def expand(self, name: str, entry: InheritedEntry) -> DesiredEnvironment:
        """Return the environment of one entry; the caller expands its matrix and the names in `depends_on`."""
        lines, constraints = self._requirements(entry)
        project = self._project(entry)
        lock = self._lock(entry, project)
        hooks = entry.section("hooks")
        environment = DesiredEnvironment(
            name=name,
            python=entry.value("python", ""),
            renamed_from=entry.value("renamed_from") or "",
            place=str(self.source.key_place(("environments", name))),
            python_place=str(self.source.value_place(entry.path_of("python"))),
            description=entry.value("description", ""),
            labels=entry.mapping("labels"),
            requirements=lines,
            constraints=constraints,
            overrides=entry.values("overrides"),
            project=project,
            indexes=entry.values("indexes"),
            lock=lock,
            exclude_newer=entry.value("exclude_newer"),
            prerelease=entry.value("prerelease", defaults.PRERELEASE),
            builds=entry.value("builds", defaults.BUILDS),
            build_env=self._build_env(entry),
            system_site_packages=entry.value("system_site_packages", defaults.SYSTEM_SITE_PACKAGES),
            ignore=tuple(each for each in entry.values("ignore") if isinstance(each, str)),
            ignore_files=tuple(each for each in entry.values("ignore_files") if isinstance(each, str)),
            exceptions=(*self._exceptions(entry, "ignore"), *self._exceptions(entry, "ignore_files")),
            compile_bytecode=entry.value("compile_bytecode", defaults.COMPILE_BYTECODE),
            link_mode=entry.value("link_mode"),
            keep_generations=entry.value("keep_generations", defaults.KEEP_GENERATIONS),
            env=_variables(entry.section("env")),
            public=self._public(entry),
            probes=tuple(_probe(each.value) for each in entry.placed_values("probes")),
            hooks=Hooks(
                after_publish=_hooks(hooks, "after_publish"),
                before_delete=_hooks(hooks, "before_delete"),
            ),
            on_failure=hooks.value("on_failure", defaults.HOOKS_ON_FAILURE) if hooks else defaults.HOOKS_ON_FAILURE,
            health=_health(entry.value("health")),
            depends_on=entry.values("depends_on"),
            prevent_destroy=entry.value("prevent_destroy", defaults.PREVENT_DESTROY),
        )
        if not entry.has("lock"):
            return self.project_sources.add_to(environment)
        if lock is not None and lock.tool == "uv":
            self.project_sources.check_builds(environment, lock.path.parent)
        return environment

    def _build_env(self, entry: InheritedEntry) -> BuildEnv:
        """Return the variables for builds."""
        section = entry.section("build_env")
        if section is None:
            return BuildEnv()
        names = {each.value: each.path for each in section.placed_values(FROM_ENV)}
        shell = dict.fromkeys(names, "") if self.ambient is None else self.ambient
        taken = {name: shell[name] for name in names if name in shell}
        unset = {name: str(self.source.value_place(path)) for name, path in names.items() if name not in taken}
        hashes = {name: digest(["build_env", name, value]) for name, value in taken.items()}
        written = _variables(section)
        return BuildEnv(
            variables={name: value for name, value in sorted(written.items()) if name not in names},
            from_env=dict(sorted(taken.items())),
            hashes=dict(sorted({**hashes, **dict.fromkeys(unset, "")}.items())),
            unset=dict(sorted(unset.items())),
        )

    def _public(self, entry: InheritedEntry) -> Public:
        """Return what may be shown in clear."""
        names = {key: self._public_names(entry, key) for key in ("env", "build_env")}
        commands = {each.value.run for each in entry.placed_values("probes") if getattr(each.value, "public", False)}
        for section in filter(None, [entry.section("hooks")]):
            for moment in ("after_publish", "before_delete"):
                hooks = (each.value for each in section.placed_values(moment))
                commands |= {each.run for each in hooks if getattr(each, "public", False)}
        health = entry.value("health")
        commands |= {health.run} if health is not None and health.public else set()
        return Public(env=names["env"], build_env=names["build_env"], commands=tuple(sorted(commands)))

    def _public_names(self, entry: InheritedEntry, key: str) -> tuple[str, ...]:
        """Return the names that `public` lists in `env` or `build_env`; report those that it does not set."""
        section = entry.section(key)
        if section is None:
            return ()
        known = _variables(section)
        for each in section.placed_values(PUBLIC):
            if each.value not in known:
                message = f"`{PUBLIC}` lists {in_backticks(each.value)}, which `{key}` does not set to a value"
                hint = did_you_mean(each.value, known) or f"remove it from `{PUBLIC}`, or set it in `{key}`"
                self._report(InvalidTextError(message, hint=hint), each.path)
        return tuple(sorted({each.value for each in section.placed_values(PUBLIC)} & known.keys()))

    def _exceptions(self, entry: InheritedEntry, key: Literal["ignore", "ignore_files"]) -> tuple[IgnoreException, ...]:
        """Return the entries of a list that are mappings."""
        return tuple(
            IgnoreException(
                key=key,
                match=each.value.match,
                reason=each.value.reason,
                until=each.value.until or "",
                place=str(self.source.value_place(each.path)),
                expired=bool(each.value.until) and each.value.until < self.today,
            )
            for each in entry.placed_values(key)
            if not isinstance(each.value, str)
        )

    def _requirements(self, entry: InheritedEntry) -> tuple[tuple[RequirementLine, ...], tuple[str, ...]]:
        """Return the requirement lines of packages and files, and the constraints, each once."""
        lines = [
            RequirementLine(text=each.value, source=str(self.source.value_place(each.path)))
            for each in entry.placed_values("packages")
        ]
        for key in ("packages", "overrides"):
            for each in entry.placed_values(key):
                try:
                    require_local_url(each.value, self.files)
                except InvalidTextError as error:
                    self._report(error, each.path)
        constraints: list[str] = []
        for key in ("requirements", "constraints"):
            for each in entry.placed_values(key) if self.requirements_left >= 0 else ():
                try:
                    found = self.requirements_files.read(
                        each.value, constraints=key == "constraints", chosen=entry.values("indexes")
                    )
                except InvalidTextError as error:
                    self._report(error, each.path)
                else:
                    lines += found.requirements
                    constraints += found.constraints
                    self.requirements_left -= len(found.requirements) + len(found.constraints)
        if self.requirements_left < 0:
            self.problems.append(too_many_requirements(self.source.key_place(entry.path)))
        unique: dict[tuple[str, tuple[str, ...]], RequirementLine] = {}
        for line in lines:
            unique.setdefault((line.text, line.hashes), line)
        return tuple(unique.values()), tuple(dict.fromkeys(constraints))

    def _project(self, entry: InheritedEntry) -> LocalProject | None:
        project = entry.section("project")
        if project is None:
            return None
        paths = {key: [each.path for each in project.placed_values(key)] for key in ("extras", "groups")}

        def report(error: InvalidTextError, key: tuple[Any, ...]) -> None:
            match key:
                case (str() as name, int() as at):
                    self._report(error, paths[name][at])
                case _:
                    self._report(error, project.path_of("path"))

        return read_local_project(
            project.value("path", defaults.PROJECT_PATH),
            editable=project.value("editable", defaults.PROJECT_EDITABLE),
            extras=[each.value for each in project.placed_values("extras")],
            groups=[each.value for each in project.placed_values("groups")],
            directory=self.directory,
            files=self.files,
            report=report,
            has_lock=entry.has("lock"),
        )

    def _lock(self, entry: InheritedEntry, project: LocalProject | None) -> LockSource | None:
        """Return the lock of another tool that the environment is made from."""
        written = entry.value("lock")
        if written is None:
            return None
        for key in _NOT_WITH_LOCK:
            if entry.has(key):
                listed = entry.placed_values(key) if key in _LISTS else ()
                path = listed[0].path[:-1] if listed else entry.path_of(key)
                message = f"`{key}` is not allowed with `lock`, which decides which packages are installed"
                hint = f"remove `{key}`, or remove `lock` and let envsync resolve"
                place = self.source.key_place(path)
                self.problems.append(self.source.problem(message, path, hint=hint, place=place))
        try:
            return read_lock_source(
                written.file,
                extras=(*written.extras, *(project.extras if project else ())),
                groups=(*written.groups, *(project.groups if project else ())),
                directory=self.directory,
                files=self.files,
            )
        except InvalidTextError as error:
            self._report(error, (*entry.path_of("lock"), "from"))
            return None

    def _report(self, error: InvalidTextError, path: KeyPath) -> None:
        self.problems.append(self.source.problem(error.message, path, hint=error.hint))


def _variables(section: InheritedEntry | None) -> dict[str, str]:
    """Return the variables that `env` or `build_env` sets to a value, sorted by name."""
    if section is None:
        return {}
    return {name: section.value(name) for name in section.names if name not in {FROM_ENV, PUBLIC}}


def _hooks(section: InheritedEntry | None, moment: str) -> tuple[tuple[str, ...], ...]:
    """Return the commands of one moment."""
    listed = section.placed_values(moment) if section else ()
    return tuple(each.value if isinstance(each.value, tuple) else each.value.run for each in listed)


def _health(health: Any) -> Health | None:
    desired: Health | None = None if health is None else health.desired()
    return desired


def _probe(probe: Any) -> Probe:
    if isinstance(probe, str):  # `dependencies` is the only string that the model accepts
        return DependenciesProbe()
    desired: Probe = probe.desired()
    return desired
