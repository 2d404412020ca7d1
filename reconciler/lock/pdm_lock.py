"""Reads a pdm.lock with the strategy `inherit_metadata`: it has the groups and markers of each package."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from reconciler.errors import LockError
from reconciler.lock.foreign_package import ForeignLock, PinnedPackage, check_choice, lowest_python, sha256_of
from reconciler.lock.marker_choice import chosen_marker
from reconciler.manifest.desired import LockSource

DEFAULT = "default"


def read_pdm_lock(document: Mapping[str, Any], source: LockSource) -> ForeignLock:
    """Return the packages of the group `default` and of the chosen extras and groups, which PDM does not distinguish.

    Raises LockError.
    """
    metadata = document.get("metadata", {})
    if "inherit_metadata" not in metadata.get("strategy", ()):
        raise LockError(
            f"`{source.relative}` was made without the strategy `inherit_metadata`, so it lacks groups and markers",
            hint="run `pdm lock --update-reuse --strategy inherit_metadata`, which keeps the versions",
        )
    chosen = {DEFAULT, *source.extras, *source.groups}
    known = {canonicalize_name(each) for each in metadata.get("groups", ())}
    check_choice(source.relative, "group", chosen - {DEFAULT}, known - {DEFAULT})
    pins: dict[tuple[str, str], PinnedPackage] = {}
    tables: dict[str, Mapping[str, Any]] = {}
    packages = [each for each in document.get("package", []) if isinstance(each, dict)]
    # `requests[socks]` is a second entry, with the files of the first.
    for package in sorted(packages, key=lambda each: "extras" in each):
        name = canonicalize_name(package["name"])
        if not chosen & {canonicalize_name(each) for each in package.get("groups", ())}:
            continue
        marker = chosen_marker(package["marker"], extras=source.extras, groups=()) if "marker" in package else True
        if marker is False:
            continue
        version, written = str(package.get("version", "")), "" if marker is True else str(marker)
        other = _other_source(package, source.path.parent)
        if other is None:
            hashes = sha256_of(package.get("files"))
            pins.setdefault((name, version), PinnedPackage(name=name, version=version, marker=written, hashes=hashes))
        else:
            head = {"name": name} | ({} if "directory" in other else {"version": version})
            tables.setdefault(name, head | ({"marker": written} if written else {}) | other)
    targets = metadata.get("targets", [{}])
    lowest = lowest_python([str(each.get("requires_python", "")) for each in targets])
    return ForeignLock(pins=tuple(pins.values()), tables=tuple(tables.values()), python=lowest)


def _other_source(package: Mapping[str, Any], base: Path) -> dict[str, Any] | None:
    """Return the source of a package that does not come from an index, as PEP 751 writes it; None otherwise."""
    inside = {"subdirectory": package["subdirectory"]} if package.get("subdirectory") else {}
    hashes = {"sha256": min(sha256_of(package.get("files")), default="")}
    if "git" in package:
        return {"vcs": {"type": "git", "url": package["git"], "commit-id": package.get("revision", ""), **inside}}
    if "url" in package:
        return {"archive": {"url": package["url"].partition("#")[0], "hashes": hashes, **inside}}
    if "path" in package:
        path = (base / package["path"]).resolve()
        if package.get("files"):
            return {"archive": {"path": str(path), "hashes": hashes, **inside}}
        return {"directory": {"path": str(path), **({"editable": True} if package.get("editable") else {}), **inside}}
    return None
