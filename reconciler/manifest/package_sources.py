"""Where a pyproject.toml says that a package comes from: `[tool.uv.sources]` and Poetry's dependency tables."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from packaging.markers import InvalidMarker, Marker
from packaging.utils import canonicalize_name

from reconciler.backticks import in_backticks, list_in_backticks
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.project_file import ProjectFile
from reconciler.manifest.pyproject import both_markers
from reconciler.manifest.source_text import KeyPath

Kind: TypeAlias = Literal["workspace", "path", "git", "url", "index"]

_UV_KINDS: tuple[Kind, ...] = ("workspace", "path", "git", "url", "index")
_UV_KEYS = {
    *_UV_KINDS,
    "subdirectory",
    "rev",
    "tag",
    "branch",
    "lfs",
    "editable",
    "package",
    "marker",
    "extra",
    "group",
}
# Poetry's `python`, `version` and others limit which versions fit: the metadata of the project contains them.
_POETRY_KINDS: Mapping[str, Kind] = {"path": "path", "git": "git", "url": "url", "source": "index", "file": "path"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSource:
    """One place that a package comes from.

    `location` is the path, the URL or the name of the index; `base` is the directory that a path is relative to.
    `file` and `path` say where it is written. `extra` and `group` limit it to the requirements of one extra or group.
    """

    kind: Kind
    location: str
    base: Path
    file: ProjectFile
    path: KeyPath
    revision: str
    subdirectory: str
    editable: bool
    marker: Marker | None
    extra: str
    group: str
    extras: tuple[str, ...]


class SourceError(Exception):
    """An entry cannot be translated; `path` is its key path in `file`."""

    def __init__(self, message: str, file: ProjectFile, path: KeyPath, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.path = path
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEntry:
    """What a table says about one package: one source, or a list of them. It is only read if something requests it."""

    file: ProjectFile
    path: KeyPath
    parts: tuple[tuple[Mapping[str, Any], KeyPath], ...]
    read: Callable[[ProjectFile, Mapping[str, Any], KeyPath], PackageSource | None]

    def sources(self) -> Iterator[PackageSource | SourceError]:
        """Yield each source, or the error of one that is not understood."""
        for entry, path in self.parts:
            try:
                found = self.read(self.file, entry, path)
            except SourceError as error:
                yield error
            else:
                if found is not None:
                    yield found


def uv_sources(file: ProjectFile) -> dict[str, SourceEntry]:
    """Return the entries of `[tool.uv.sources]` by normalized name; none if `[tool.uv]` says `no-sources = true`."""
    if file.table("tool", "uv").get("no-sources") is True:
        return {}
    return _entries_of(file, "tool", "uv", "sources", read=_uv_source)


def poetry_sources(file: ProjectFile) -> dict[str, SourceEntry]:
    """Return the entries of `[tool.poetry.dependencies]` that name a source, by normalized name."""
    found = _entries_of(file, "tool", "poetry", "dependencies", read=_poetry_source)
    return {
        name: each
        for name, each in found.items()
        if any(_POETRY_KINDS.keys() & entry.keys() for entry, _ in each.parts)
    }


def _entries_of(
    file: ProjectFile,
    *keys: str,
    read: Callable[[ProjectFile, Mapping[str, Any], KeyPath], PackageSource | None],
) -> dict[str, SourceEntry]:
    return {
        canonicalize_name(name): SourceEntry(
            file=file, path=(*keys, name), parts=tuple(_parts(value, (*keys, name))), read=read
        )
        for name, value in file.table(*keys).items()
    }


def _parts(value: Any, path: KeyPath) -> Iterator[tuple[Mapping[str, Any], KeyPath]]:
    """Yield each entry of a table or a list of tables, with its key path."""
    if isinstance(value, dict):
        yield value, path
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield (each if isinstance(each, dict) else {}), (*path, number)
    else:
        yield {}, path


def _uv_source(file: ProjectFile, entry: Mapping[str, Any], path: KeyPath) -> PackageSource:
    kinds = [each for each in _UV_KINDS if each in entry]
    unknown = sorted(entry.keys() - _UV_KEYS)
    if unknown or len(kinds) != 1 or entry.get("workspace") is False:
        what = f"unknown key {in_backticks(unknown[0])}" if unknown else "must have exactly one kind of source"
        hint = f"write one of {list_in_backticks(_UV_KINDS)} as uv's documentation describes it"
        raise SourceError(what, file, path, hint=hint)
    if entry.get("package") is False:
        message = "a package that is not installed itself (`package = false`) is not supported"
        hint = "remove `package = false`, or use uv's own lock: `lock: {from: uv.lock}`"
        raise SourceError(message, file, path, hint=hint)
    if entry.get("lfs"):
        message = "`lfs` cannot be written in a requirement"
        raise SourceError(message, file, path, hint="use uv's own lock: `lock: {from: uv.lock}`")
    kind = kinds[0]
    return PackageSource(
        kind=kind,
        location="" if kind == "workspace" else _text(file, entry, kind, path),
        base=file.directory,
        file=file,
        path=path,
        revision=next((_text(file, entry, each, path) for each in ("rev", "tag", "branch") if each in entry), ""),
        subdirectory=_text(file, entry, "subdirectory", path),
        editable=entry.get("editable", kind == "workspace") is True,
        marker=_marker(file, _text(file, entry, "marker", path), path),
        extra=canonicalize_name(_text(file, entry, "extra", path)),
        group=canonicalize_name(_text(file, entry, "group", path)),
        extras=(),
    )


def _poetry_source(file: ProjectFile, entry: Mapping[str, Any], path: KeyPath) -> PackageSource | None:
    key = next((each for each in _POETRY_KINDS if each in entry), None)
    if key is None:  # only a version
        return None
    marker = _marker(file, _text(file, entry, "markers", path), path)
    platform = _text(file, entry, "platform", path)
    if platform:
        marker = both_markers(marker, _marker(file, f"sys_platform == '{platform}'", path))
    if "python" in entry and key in {"path", "file"}:
        message = "`python` with a path is not supported"
        hint = "write it as `markers`, for example `markers = \"python_version >= '3.12'\"`"
        raise SourceError(message, file, path, hint=hint)
    extras = entry.get("extras", ())
    return PackageSource(
        kind=_POETRY_KINDS[key],
        location=_text(file, entry, key, path),
        base=file.directory,
        file=file,
        path=path,
        revision=next((_text(file, entry, each, path) for each in ("rev", "tag", "branch") if each in entry), ""),
        subdirectory=_text(file, entry, "subdirectory", path),
        editable=entry.get("develop", False) is True,
        marker=marker,
        extra="",
        group="",
        extras=tuple(sorted(canonicalize_name(each) for each in extras if isinstance(each, str))),
    )


def _text(file: ProjectFile, entry: Mapping[str, Any], key: str, path: KeyPath) -> str:
    value = entry.get(key, "")
    if not isinstance(value, str):
        raise SourceError(f"`{key}` must be a string", file, path, hint="put the value in quotes")
    return value


def _marker(file: ProjectFile, text: str, path: KeyPath) -> Marker | None:
    try:
        return Marker(text) if text else None
    except InvalidMarker as error:
        hint = "write a marker such as `sys_platform == 'linux'`"
        raise SourceError(f"not a valid environment marker: {in_backticks(text)}", file, path, hint=hint) from error


def direct_requirement(name: str, source: PackageSource, extras: Sequence[str], marker: Marker | None) -> str:
    """Return the requirement (PEP 508) for a source that is a URL or a repository, not yet validated.

    Raises SourceError if the location has no such form.
    """
    location = source.location
    if source.kind == "git":
        location = f"git+{_repository_url(source)}"
        if source.revision:
            location += f"@{source.revision}"
    if source.subdirectory:
        location += f"#subdirectory={source.subdirectory}"
    named = f"{name}[{','.join(sorted(extras))}]" if extras else name
    return f"{named} @ {location}" + (f" ; {marker}" if marker else "")


def _repository_url(source: PackageSource) -> str:
    """Return a repository's URL; `git@host:path` and a path have none that a requirement may contain."""
    location = source.location.removeprefix("git+")
    host, separator, path = location.partition(":")
    if "://" in location:
        return location
    if separator and "/" not in host:
        return f"ssh://{host}/{path.lstrip('/')}"
    message = f"{in_backticks(location)} is not the URL of a repository"
    raise SourceError(message, source.file, source.path, hint="write a URL such as `https://HOST/REPOSITORY`")


def invalid_source(error: InvalidTextError, source: PackageSource) -> SourceError:
    """Return the error of a text that was made from a source."""
    return SourceError(error.message, source.file, source.path, hint=error.hint)
