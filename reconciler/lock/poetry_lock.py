"""Reads a poetry.lock of Poetry 2 (lock-version 2.1), which has the groups and markers of each package."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import tomli
from packaging.utils import canonicalize_name

from reconciler.errors import LockError
from reconciler.lock.foreign_package import ForeignLock, PinnedPackage, check_choice, lowest_python, sha256_of
from reconciler.lock.marker_choice import any_of, chosen_marker
from reconciler.manifest.desired import LockSource
from reconciler.manifest.reach import reach_of
from reconciler.manifest.text_file import LARGEST, UnreadableFileError

MAIN = "main"


def read_poetry_lock(document: Mapping[str, Any], source: LockSource, declared_groups: Collection[str]) -> ForeignLock:
    """Return the packages of the group `main` and of the chosen extras and groups; raises LockError.

    `declared_groups` are those of the project's pyproject.toml, and are not in the lock if they are empty.
    """
    metadata = document.get("metadata", {})
    version = str(metadata.get("lock-version", ""))
    packages = [each for each in document.get("package", []) if isinstance(each, dict)]
    if not re.match(r"2\.[1-9]", version) or any("groups" not in each for each in packages):
        raise LockError(
            f"`{source.relative}` has the format {version or 'unknown'}, without the groups and markers of packages",
            hint="run `poetry lock` with Poetry 2 or newer, which keeps the versions",
        )
    extras = {canonicalize_name(each) for each in document.get("extras", {})}
    groups = {canonicalize_name(group) for each in packages for group in each["groups"]} | set(declared_groups)
    check_choice(source.relative, "extra", source.extras, extras)
    check_choice(source.relative, "group", source.groups, groups - {MAIN})
    pins: list[PinnedPackage] = []
    tables: list[Mapping[str, Any]] = []
    for package in packages:
        marker = _marker(package, {MAIN, *source.groups}, source)
        if marker is False:
            continue
        name, written = canonicalize_name(package["name"]), "" if marker is True else str(marker)
        other = _other_source(package, source.path.parent)
        if other is None:
            hashes = sha256_of(package.get("files"))
            pins.append(PinnedPackage(name=name, version=package["version"], marker=written, hashes=hashes))
        else:
            head = {"name": name} | ({} if "directory" in other else {"version": package["version"]})
            tables.append(head | ({"marker": written} if written else {}) | other)
    python = lowest_python([str(metadata.get("python-versions", ""))])
    return ForeignLock(pins=tuple(pins), tables=tuple(tables), python=python)


def declared_groups(directory: Path) -> frozenset[str]:
    """Return the normalized names of the groups that a pyproject.toml declares for Poetry; none if it is invalid."""
    try:
        text = reach_of(directory).read(directory / "pyproject.toml", limit=LARGEST).decode("utf-8")
        document = tomli.loads(text)
    except (UnreadableFileError, ValueError, RecursionError):  # the lock alone then says which groups exist
        return frozenset()
    poetry = document.get("tool", {}).get("poetry", {}).get("group", {})
    return frozenset(canonicalize_name(each) for each in [*poetry, *document.get("dependency-groups", {})])


def _marker(package: Mapping[str, Any], groups: Collection[str], source: LockSource) -> str | bool:
    """Return what is left of a package's marker in the chosen groups: a text for all groups, or one for each."""
    markers = package.get("markers", "")
    found: list[str | bool] = []
    for group in package["groups"]:
        if canonicalize_name(group) in groups:
            text = markers.get(group, "") if isinstance(markers, dict) else markers
            found.append(chosen_marker(text, extras=source.extras, groups=()) if text else True)
    return any_of(found)


def _other_source(package: Mapping[str, Any], base: Path) -> dict[str, Any] | None:
    """Return the source of a package that does not come from an index, as PEP 751 writes it; None otherwise."""
    source = package.get("source", {})
    url, subdirectory = str(source.get("url", "")), source.get("subdirectory")
    inside = {"subdirectory": subdirectory} if subdirectory else {}
    match source.get("type", "legacy"):
        case "directory":
            editable = {"editable": True} if package.get("develop") is True else {}
            return {"directory": {"path": str((base / url).resolve()), **editable, **inside}}
        case "git":
            return {"vcs": {"type": "git", "url": url, "commit-id": source.get("resolved_reference", ""), **inside}}
        case "url" | "file" as kind:
            place = {"url": url} if kind == "url" else {"path": str((base / url).resolve())}
            hashes = {"sha256": min(sha256_of(package.get("files")), default="")}
            return {"archive": {**place, "hashes": hashes, **inside}}
        case _:
            return None
