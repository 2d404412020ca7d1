"""Packages of an index that is a directory relative to the manifest: their files have relative paths in the lock.

A lock contains no absolute path of a machine, so such a package has no `index` there. The document for an installation
has both as URLs of this machine, because uv's cache distinguishes files by their index.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from packaging.pylock import PackageSdist, PackageWheel

from reconciler.manifest.desired import Index
from reconciler.manifest.urls import canonical_url, directory_of_url

_File = TypeVar("_File", PackageWheel, PackageSdist)


def make_relative(packages: list[dict[str, Any]], indexes: tuple[Index, ...], locks: Path) -> None:
    """Replace, in the tables of packages from a relative directory, the URLs of their files by paths from `locks`."""
    relative = {canonical_url(each.url) for each in indexes if each.relative}
    for package in packages:
        if canonical_url(str(package.get("index", ""))) not in relative:
            continue
        del package["index"]
        for file in (*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])):
            path = directory_of_url(file.pop("url"))
            file["path"] = Path(os.path.relpath(os.path.realpath(path or ""), os.path.realpath(locks))).as_posix()
            items = sorted(file.items(), key=lambda item: item[0] != "path")
            file.clear()
            file |= dict(items)


def with_url(file: _File, locks: Path) -> _File:
    """Return a file with its URL on this machine, if the lock in `locks` has its path."""
    if file.path is None or file.url is not None:
        return file
    return replace(file, path=None, url=(locks / file.path).resolve().as_uri())


def index_of(index: str | None, file: PackageWheel | PackageSdist) -> str | None:
    """Return the `index` of a package for an installation: as locked, or the directory of its `file`."""
    directory = directory_of_url(file.url or "")
    return index if index is not None or directory is None else directory.parent.as_uri()
