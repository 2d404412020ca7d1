"""One manifest entry, with all that it inherits, to the desired environment that it stands for."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.errors import Problem
from reconciler.manifest.desired import (
    DependenciesProbe,
    DesiredEnvironment,
    Hooks,
    LocalProject,
    Probe,
    RequirementLine,
)
from reconciler.manifest.entries import Entry
from reconciler.manifest.input_files import InputFiles
from reconciler.manifest.project import read_project
from reconciler.manifest.refusal import RefusedError
from reconciler.manifest.requirements import RequirementsFiles
from reconciler.manifest.source_text import KeyPath, SourceText


@dataclass(slots=True, kw_only=True)
class EnvironmentReader:
    """Makes desired environments of entries and of the files that they name; what is wrong goes to `problems`.

    `directory` is the manifest's, as the user named it.
    """

    source: SourceText
    directory: Path
    files: InputFiles
    problems: list[Problem] = field(default_factory=list)
    requirements_files: RequirementsFiles = field(init=False)

    def __post_init__(self) -> None:
        self.requirements_files = RequirementsFiles(
            directory=self.directory.absolute(),
            shown_directory=self.directory,
            files=self.files,
            problems=self.problems,
        )

    def environment(self, name: str, entry: Entry) -> DesiredEnvironment:
        """Return the environment of one entry; the matrix and the names in `depends_on` are still to be expanded."""
        lines, constraints = self._requirements(entry)
        hooks = entry.below("hooks")
        builds = entry.one("builds", "allow")
        return DesiredEnvironment(
            name=name,
            python=entry.one("python", ""),
            place=str(self.source.key_place(("environments", name))),
            description=entry.one("description", ""),
            labels=entry.mapping("labels"),
            requirements=lines,
            constraints=constraints,
            overrides=entry.plain("overrides"),
            project=self._project(entry),
            exclude_newer=entry.one("exclude_newer"),
            prerelease=entry.one("prerelease", "if-necessary"),
            builds=builds,
            system_site_packages=entry.one("system_site_packages", False),
            ignore=entry.plain("ignore"),
            ignore_files=entry.plain("ignore_files"),
            compile_bytecode=entry.one("compile_bytecode", False),
            link_mode=entry.one("link_mode"),
            keep_generations=entry.one("keep_generations", 3),
            env=entry.mapping("env"),
            probes=tuple(_probe(each.value) for each in entry.many("probes")),
            hooks=Hooks(
                after_publish=tuple(each.value for each in hooks.many("after_publish")) if hooks else (),
                before_delete=tuple(each.value for each in hooks.many("before_delete")) if hooks else (),
            ),
            depends_on=entry.plain("depends_on"),
            prevent_destroy=entry.one("prevent_destroy", False),
        )

    def _requirements(self, entry: Entry) -> tuple[tuple[RequirementLine, ...], tuple[str, ...]]:
        """Return the requirement lines of packages and files, and the constraints, each once."""
        lines = [
            RequirementLine(text=each.value, source=str(self.source.value_place(each.path)))
            for each in entry.many("packages")
        ]
        constraints: list[str] = []
        for key in ("requirements", "constraints"):
            for each in entry.many(key):
                try:
                    found = self.requirements_files.read(each.value, constraints=key == "constraints")
                except RefusedError as refusal:
                    self._refuse(refusal, each.path)
                else:
                    lines += found.requirements
                    constraints += found.constraints
        once: dict[tuple[str, tuple[str, ...]], RequirementLine] = {}
        for line in lines:
            once.setdefault((line.text, line.hashes), line)
        return tuple(once.values()), tuple(dict.fromkeys(constraints))

    def _project(self, entry: Entry) -> LocalProject | None:
        project = entry.below("project")
        if project is None:
            return None
        places = {key: [each.path for each in project.many(key)] for key in ("extras", "groups")}

        def refuse(refusal: RefusedError, key: tuple[Any, ...]) -> None:
            match key:
                case (str() as name, int() as at):
                    self._refuse(refusal, places[name][at])
                case _:
                    self._refuse(refusal, project.path("path"))

        return read_project(
            project.one("path", "."),
            editable=project.one("editable", False),
            extras=[each.value for each in project.many("extras")],
            groups=[each.value for each in project.many("groups")],
            directory=self.directory,
            files=self.files,
            refuse=refuse,
        )

    def _refuse(self, refusal: RefusedError, path: KeyPath) -> None:
        self.problems.append(self.source.problem(refusal.message, path, hint=refusal.hint))


def _probe(probe: Any) -> Probe:
    if isinstance(probe, str):  # the model knows the one word
        return DependenciesProbe()
    desired: Probe = probe.desired()
    return desired
