"""The direct sources of packages that an environment declares: URLs, repositories and local paths, by package name.

The manifest and its requirements files declare them, and so do the build files of the local projects that it installs
(PEP 508 `NAME @ URL`, and tables such as `[tool.uv.sources]`). Nothing is executed.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import tomli
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from reconciler.lock.build_file_values import build_file_text
from reconciler.lock.build_inputs import read_build_inputs
from reconciler.manifest.desired import DesiredEnvironment
from reconciler.manifest.urls import canonical_url, directory_of_url

_NAME = r"(?<![A-Za-z0-9._-])([A-Za-z0-9][A-Za-z0-9._-]{0,100})"
_URL = r"((?:git\+)?[A-Za-z][A-Za-z0-9.-]{0,20}:/[^\s\"'`;,]{1,2000})"
_NAMED_URL = re.compile(rf"{_NAME}\s{{0,9}}(?:\[[^\]\n]{{0,200}}\])?\s{{0,9}}@\s{{0,9}}{_URL}")
_URL_WITH_EGG = re.compile(rf"(?<![^\s\"'`=,\[(]){_URL}")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9][A-Za-z0-9._-]{0,100})")
_SCP_STYLE = re.compile(r"(?:[^@/:\s]+@)?([^@/:\s]+):(?!//)(.+)")
_FULL_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REVISIONS = ("rev", "tag", "branch", "ref")


@dataclass(frozen=True, slots=True)
class _Repository:
    """A repository that a package may come from; with a full commit, only that commit."""

    name: str
    url: str
    commit: str


@dataclass(slots=True)
class DeclaredSources:
    """What an environment declares, so far as it was needed yet: build files are only read if nothing else fits."""

    environment: DesiredEnvironment
    directories: list[Path] = field(default_factory=list)
    _archives: set[tuple[str, str]] = field(default_factory=set)
    _repositories: set[_Repository] = field(default_factory=set)
    _paths: set[str] = field(default_factory=set)
    _read: set[Path] = field(default_factory=set)

    def __post_init__(self) -> None:
        environment, project = self.environment, self.environment.project
        texts = [each.text for each in environment.requirements if each.path is None]
        texts += [*environment.constraints, *environment.overrides, *(project.requirements if project else ())]
        for text in texts:
            self._add_requirement(text)
        for line in environment.requirements:
            if line.path is not None:
                self._add_path(line.path)
        if project is not None:
            self._add_path(project.path)
        if environment.lock is not None:
            self.directories.append(environment.lock.path.parent)

    def has_archive(self, name: str, url: str) -> bool:
        """Return whether the package may come from this URL; raises LockError if a build file cannot be read."""
        wanted = (name, _archive_url(url))
        return wanted in self._archives or (self._read_build_files() and wanted in self._archives)

    def has_repository(self, name: str, url: str, commit: str = "") -> bool:
        """Return whether the package may come from a repository, or from this commit of it; raises LockError too."""
        wanted = _repository_url(url)

        def found() -> bool:
            known = [each.commit for each in self._repositories if (each.name, each.url) == (name, wanted)]
            return any(not commit or each in {"", commit.lower()} for each in known)

        return found() or (self._read_build_files() and found())

    def has_path(self, path: Path) -> bool:
        """Return whether a package may come from this directory or file; raises LockError too."""
        wanted = os.path.realpath(path)
        return wanted in self._paths or (self._read_build_files() and wanted in self._paths)

    def _read_build_files(self) -> bool:
        """Read the build files of the local projects that are known now; return whether there were any new ones."""
        found = False
        while new := [each for each in self.directories if each not in self._read]:
            found = True
            for directory in new:
                self._read.add(directory)
                self._add_build_files(directory)
        return found

    def _add_build_files(self, directory: Path) -> None:
        inputs = read_build_inputs(directory)
        more = (build_file_text(each) for each in inputs.resolved_from or ())
        for text in (*inputs.texts.values(), *(each for each in more if each is not None)):
            for name, url in _named_urls(text):
                self._add(name, url)
        for path in inputs.projects:
            self._add_path(path)
        try:
            document = tomli.loads(inputs.texts.get("pyproject.toml", ""))
        except (ValueError, RecursionError):  # `read_build_inputs` found nothing in it either
            return
        for name, table in _named_tables(document):
            self._add_table(name, table, directory)

    def _add_table(self, name: str, table: Mapping[str, Any], directory: Path) -> None:
        git, url = table.get("git"), table.get("url")
        if isinstance(git, str):
            revision = next((table[each] for each in _REVISIONS if isinstance(table.get(each), str)), "")
            self._add_repository(name, git, revision)
        if isinstance(url, str):
            self._add(name, url)
        for key in ("path", "file"):
            if isinstance(table.get(key), str):
                self._add_path(directory / table[key])

    def _add_requirement(self, text: str) -> None:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:  # a requirement of a project that only its build backend understands
            return
        if requirement.url:
            self._add(requirement.name, requirement.url)

    def _add(self, name: str, url: str) -> None:
        directory = directory_of_url(url)
        if directory is not None:
            self._add_path(directory)
        elif url.startswith("git+"):
            self._add_repository(name, url, _revision(url))
        else:
            self._archives.add((canonicalize_name(name), _archive_url(url)))

    def _add_repository(self, name: str, url: str, revision: str) -> None:
        commit = revision.lower() if _FULL_COMMIT.fullmatch(revision.lower()) else ""
        self._repositories.add(_Repository(canonicalize_name(name), _repository_url(url), commit))

    def _add_path(self, path: Path) -> None:
        real = os.path.realpath(path)
        self._paths.add(real)
        if Path(real).is_dir():
            self.directories.append(Path(real))


def _archive_url(url: str) -> str:
    parts = urlsplit(canonical_url(url.partition("#")[0]))
    return parts._replace(path=unquote(parts.path)).geturl()


def _repository_url(url: str) -> str:
    """Return a repository's URL without `git+`, revision, user, `.git` and fragment."""
    url = url.partition("#")[0].removeprefix("git+")
    scp = _SCP_STYLE.fullmatch(url)
    if scp is not None:
        url = f"ssh://{scp[1]}/{scp[2].lstrip('/')}"
    parts = urlsplit(url)
    path = unquote(parts.path)
    path = (path.rpartition("@")[0] or path).rstrip("/").removesuffix(".git")
    host = parts.netloc.rpartition("@")[2]
    return canonical_url(parts._replace(netloc=host, path=path, query="").geturl())


def _revision(url: str) -> str:
    """Return the revision in the URL of a requirement (`git+https://HOST/REPOSITORY@REVISION`), or its path."""
    return urlsplit(url.partition("#")[0]).path.rpartition("@")[2]


def _named_urls(text: str) -> Iterator[tuple[str, str]]:
    """Yield name and URL of each `NAME @ URL` and `URL#egg=NAME` in the text of a build file."""
    for found in _NAMED_URL.finditer(text):
        yield found[1], found[2]
    for found in _URL_WITH_EGG.finditer(text):
        if egg := _EGG.search(found[1]):
            yield egg[1], found[1]


def _named_tables(value: object, name: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each table in TOML values with the key that it is at, also if it is in a list there."""
    match value:
        case dict():
            yield name, value
            for key, each in value.items():
                yield from _named_tables(each, key)
        case list():
            for each in value:
                yield from _named_tables(each, name)
