"""The static parts of a pyproject.toml, readable without a build: metadata (PEP 621), dependency groups (PEP 735)."""

import datetime as dt
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.dependency_groups import DependencyGroupResolver
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from reconciler.canonical_json import digest
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.requirement import parse_requirement
from reconciler.manifest.source_text import KeyPath, format_key_path
from reconciler.manifest.toml_depth import refuse_deep_keys

# The `tool` tables that a build backend reads. They decide what is installed; those of other tools do not.
_BACKENDS = (
    "flit", "hatch", "maturin", "meson-python", "pdm", "poetry", "poetry-dynamic-versioning", "scikit-build",
    "setuptools", "setuptools-git-versioning", "setuptools-scm", "setuptools_scm", "uv", "uv-dynamic-versioning",
    "versioneer", "versioningit",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """A dependency that a project requests: its requirement, its key path, and the extra or group that it is from."""

    requirement: Requirement
    path: KeyPath
    extra: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _List:
    """A list of requirements in a pyproject.toml, and the marker of the requirement that names its extra."""

    path: KeyPath
    texts: Sequence[str]
    marker: Marker | None = None
    extra: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pyproject:
    """The static content of a pyproject.toml. Without a `[project]` table `static` is False and `name` may be empty.

    `dynamic` are the fields of `[project]` that only a build can provide. The keys of extras and groups are normalized
    names. `digest` covers everything that an installation depends on.
    """

    name: str
    version: str | None
    static: bool
    dynamic: frozenset[str]
    dependencies: tuple[str, ...]
    extras: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, Sequence[Any]]
    digest: str

    @property
    def extras_are_static(self) -> bool:
        """Return whether all extras are known without a build."""
        return self.static and "optional-dependencies" not in self.dynamic

    def requirements(self, extras: Sequence[str], groups: Sequence[str]) -> tuple[str, ...]:
        """Return the dependencies with those of `extras` and `groups`, normalized, each once.

        Raises InvalidTextError if one is not a valid requirement.
        """
        return tuple(dict.fromkeys(str(each.requirement) for each in self.requested(extras, groups)))

    def requested(self, extras: Sequence[str], groups: Sequence[str]) -> Iterator[Requested]:
        """Yield the dependencies with those of `extras` and `groups`; raises InvalidTextError.

        An extra or group may name the project itself (`acme[all]`): the requirements of that extra replace it.
        """
        waiting = [_List(path=("project", "dependencies"), texts=self.dependencies)]
        waiting += [self._extra(extra, None) for extra in extras]
        waiting += [_List(path=("dependency-groups", group), texts=self._group(group), group=group) for group in groups]
        seen: set[tuple[str, str]] = set()
        while waiting:
            found = waiting.pop(0)
            own: list[_List] = []
            for number, text in enumerate(found.texts):
                path = (*found.path, number)
                requirement = _parsed(text, format_key_path(path))
                requirement.marker = both_markers(found.marker, requirement.marker)
                if self.name and requirement.name == canonicalize_name(self.name):
                    for extra in sorted(requirement.extras):
                        if (extra, str(requirement.marker)) not in seen:
                            seen.add((extra, str(requirement.marker)))
                            own.append(self._extra(extra, requirement.marker))
                else:
                    yield Requested(requirement=requirement, path=path, extra=found.extra, group=found.group)
            waiting[:0] = own

    def _extra(self, name: str, marker: Marker | None) -> _List:
        # An unknown extra has no requirements. The caller has already reported those that the manifest names.
        path = ("project", "optional-dependencies", name)
        return _List(path=path, texts=self.extras.get(name, ()), marker=marker, extra=name)

    def _group(self, name: str) -> tuple[str, ...]:
        """Return a group's requirements, with those of the groups that it includes (PEP 735)."""
        try:
            return tuple(str(each) for each in DependencyGroupResolver(self.groups).resolve(name))
        except ExceptionGroup as error:  # packaging collects all errors of the group
            first = error.exceptions[0]
            text = str(first).splitlines()[0]
            raise InvalidTextError(f"dependency-groups.{name}: {text[:1].lower()}{text[1:]}", hint="") from error


def parse_pyproject(text: str, *, fallback_name: str) -> Pyproject:
    """Return the static content of a pyproject.toml; raises InvalidTextError if it is not valid (TOML, PEP 621, 735).

    `fallback_name` is used if neither `[project]` nor Poetry's table contains a name.
    """
    return static_content(parse_toml(text), fallback_name=fallback_name)


def parse_toml(text: str) -> dict[str, Any]:
    """Return the tables of a TOML file; raises InvalidTextError."""
    try:
        refuse_deep_keys(text)
        return tomllib.loads(text)
    except ValueError as error:
        raise InvalidTextError(f"not valid TOML: {error}", hint="") from error
    except RecursionError as error:
        raise InvalidTextError("not valid TOML: nested too deeply", hint="") from error


def static_content(document: Mapping[str, Any], *, fallback_name: str) -> Pyproject:
    """Return the static content of the tables of a pyproject.toml; see `parse_pyproject`."""
    tool = _table(document, "tool")
    project = _table(document, "project")
    if "project" in document and not isinstance(project.get("name"), str):
        raise InvalidTextError("`project.name` is missing", hint="")
    extras = _table(project, "optional-dependencies", "project.")
    name = project.get("name") or _table(tool, "poetry", "tool.").get("name") or fallback_name
    version = project.get("version")
    return Pyproject(
        name=str(name),
        version=version if isinstance(version, str) else None,
        static="project" in document,
        dynamic=frozenset(_strings(project, "dynamic", "project.")),
        dependencies=_strings(project, "dependencies", "project."),
        extras={canonicalize_name(each): _strings(extras, each, "project.optional-dependencies.") for each in extras},
        groups=_groups(_table(document, "dependency-groups")),
        digest=digest(build_tables(document)),
    )


def build_tables(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the tables of a pyproject.toml that a build depends on, with dates and times as text."""
    tool = document.get("tool")
    found: Mapping[str, Any] = _plain(
        {
            "project": document.get("project", {}),
            "build-system": document.get("build-system", {}),
            "tool": {name: tool[name] for name in _BACKENDS if name in tool} if isinstance(tool, dict) else {},
        }
    )
    return found


def plain_tables(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return all tables of a pyproject.toml, with dates and times as text."""
    found: Mapping[str, Any] = _plain(document)
    return found


def _groups(table: Mapping[str, Any]) -> Mapping[str, Sequence[Any]]:
    groups: dict[str, Sequence[Any]] = {canonicalize_name(name): members for name, members in table.items()}
    if len(groups) < len(table):
        raise InvalidTextError("dependency-groups: two names are the same when normalized", hint="")
    return groups


def _parsed(text: str, where: str) -> Requirement:
    try:
        return parse_requirement(text)
    except InvalidTextError as error:
        raise InvalidTextError(f"{where}: {error.message}", hint=error.hint) from error


def both_markers(first: Marker | None, second: Marker | None) -> Marker | None:
    """Return the marker that is true where both are; None is always true."""
    if first is None or second is None:
        return first or second
    return first & second


def _table(parent: Mapping[str, Any], key: str, where: str = "") -> Mapping[str, Any]:
    value = parent.get(key, {})
    if not isinstance(value, dict):
        raise InvalidTextError(f"`{where}{key}` must be a table", hint="")
    return value


def _strings(parent: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = parent.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InvalidTextError(f"`{where}{key}` must be a list of strings", hint="")
    return tuple(value)


def _plain(value: Any) -> Any:
    """Return TOML values with dates and times as text, so that they can be hashed."""
    match value:
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list():
            return [_plain(each) for each in value]
        case dt.date() | dt.time():
            return value.isoformat()
        case _:
            return value
