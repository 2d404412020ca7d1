"""Indexes that a pyproject.toml declares for uv, Poetry or PDM, compared with those of the manifest."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.backticks import in_backticks
from reconciler.errors import Problem
from reconciler.manifest.desired import Index
from reconciler.manifest.index_rules import pinned_to
from reconciler.manifest.names import closest_name, name_of_host
from reconciler.manifest.package_sources import PackageSource, SourceError
from reconciler.manifest.project_file import ProjectFile
from reconciler.manifest.source_text import KeyPath
from reconciler.manifest.urls import canonical_url


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolIndex:
    """An index of another tool: `only_for` some packages if it is used for those that name it and no others."""

    name: str
    url: str
    only_for: bool
    path: KeyPath


def tool_indexes(file: ProjectFile) -> Iterator[ToolIndex]:
    """Yield the indexes that `[tool.uv]`, `[tool.poetry]` and `[tool.pdm]` of a pyproject.toml declare."""
    for number, each in enumerate(file.tables("tool", "uv", "index")):
        path: KeyPath = ("tool", "uv", "index", number)
        yield _index({**each, "url": _url(file, each.get("url", ""))}, path, only_for=each.get("explicit") is True)
    for key in ("index-url", "extra-index-url", "find-links"):
        value = file.table("tool", "uv").get(key)
        for url in (value,) if isinstance(value, str) else value if isinstance(value, list) else ():
            found = _url(file, url)
            yield ToolIndex(name=_name_of(found), url=found, only_for=False, path=("tool", "uv", key))
    for number, each in enumerate(file.tables("tool", "poetry", "source")):
        only_for = each.get("priority") == "explicit"
        if "url" in each or str(each.get("name")).lower() != "pypi":  # Poetry's name of the default index
            yield _index(each, ("tool", "poetry", "source", number), only_for=only_for)
    for number, each in enumerate(file.tables("tool", "pdm", "source")):
        only_for = bool(each.get("include_packages"))
        yield _index(each, ("tool", "pdm", "source", number), only_for=only_for)


def manifest_index(url: str, indexes: Sequence[Index]) -> Index | None:
    """Return the manifest's index with this URL."""
    wanted = canonical_url(url)
    return next((each for each in indexes if canonical_url(each.url) == wanted), None)


def check_index(name: str, source: PackageSource, indexes: Sequence[Index], root: ProjectFile | None) -> None:
    """Raise SourceError unless the manifest pins a package to the index that its source names.

    `root` is the pyproject.toml of the workspace, which may declare the index too.
    """
    files = (source.file, *((root,) if root is not None else ()))
    known = [each for file in files for each in tool_indexes(file) if each.name == source.location]
    if not known:
        hint = "declare the index in the same file, or correct its name"
        raise SourceError(f"no index named {in_backticks(source.location)}", source.file, source.path, hint=hint)
    url = known[0].url
    declared = manifest_index(url, indexes)
    if declared is not None and pinned_to(name, (declared,)):
        return
    if declared is not None:
        message = (
            f"`{name}` comes from the index {in_backticks(declared.name)}, "
            "but the manifest does not pin it to that index"
        )
        hint = f"add `packages: [{name}]` to the index {in_backticks(declared.name)} in the manifest"
    else:
        message = f"`{name}` comes from an index that the manifest does not declare"
        hint = f"add to `indexes` in the manifest: `{_manifest_line(known[0].name, url, name)}`"
    raise SourceError(message, source.file, source.path, hint=hint)


def undeclared_index(file: ProjectFile, index: ToolIndex, indexes: Sequence[Index]) -> Problem | None:
    """Return the problem of an index that the manifest does not declare; None if it does."""
    if manifest_index(index.url, indexes) is not None:
        return None
    message = "the manifest does not declare this index, so its packages would come from a different one"
    hint = f"add to `indexes` in the manifest: `{_manifest_line(index.name, index.url)}`"
    return file.problem(message, index.path, hint=hint)


def _url(file: ProjectFile, written: object) -> str:
    """Return the URL of an index of uv, which may be written as a path relative to its pyproject.toml."""
    text = str(written)
    return text if "://" in text else Path(os.path.normpath(file.directory / text)).as_uri()


def _index(table: Mapping[str, Any], path: KeyPath, *, only_for: bool) -> ToolIndex:
    url = str(table.get("url", ""))
    return ToolIndex(name=str(table.get("name") or _name_of(url)), url=url, only_for=only_for, path=path)


def _name_of(url: str) -> str:
    """Return a name for an index that has none: that of its host."""
    return name_of_host(canonical_url(url).partition("://")[2].partition("/")[0]) or "other"


def _manifest_line(name: str, url: str, package: str = "") -> str:
    """Return the entry of `indexes` in the manifest, without credentials."""
    entry = {"name": closest_name(name) or "other", "url": canonical_url(url)}
    if package:
        entry["packages"] = f"[{package}]"
    return "{" + ", ".join(f"{key}: {value}" for key, value in entry.items()) + "}"
