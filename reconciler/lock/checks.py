"""Checks the rules of the manifest on a resolved lock, because resolvers do not enforce them for all packages."""

from collections.abc import Collection
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from reconciler.backticks import list_in_backticks
from reconciler.errors import LockError
from reconciler.manifest.desired import DesiredEnvironment, Index
from reconciler.manifest.index_rules import DEFAULT_INDEX, index_of_url, may_serve, pinned_to
from reconciler.manifest.urls import canonical_url, plain_url


def check_indexes(packages: list[dict[str, Any]], indexes: tuple[Index, ...]) -> None:
    """Raise LockError if a package comes from an index of `indexes` (`used_indexes`) that must not serve it.

    The engine asks no such index. This check makes sure, because a wrong index means dependency confusion.
    """
    for package in packages:
        name, url = str(package["name"]), str(package.get("index", "")).rstrip("/")
        allowed = [each for each in indexes if may_serve(each, name, indexes)]
        declared = canonical_url(url) in {canonical_url(each.url) for each in indexes if each is not DEFAULT_INDEX}
        if not url or not indexes or canonical_url(url) in {canonical_url(each.url) for each in allowed}:
            continue
        if DEFAULT_INDEX in allowed and not declared:  # only the engine knows its URL
            continue
        source = index_of_url(url, indexes)
        shown = f"`{source.name}` (`{url}`)" if source else f"`{url}`"
        if pinned_to(name, indexes):
            wanted = " or ".join(f"`{each.name}` (`{plain_url(each.url)}`)" for each in allowed)
            raise LockError(f"`{name}` is pinned to index {wanted}, but was resolved from {shown}")
        if source is not None and source.packages:
            raise LockError(
                f"`{name}` was resolved from index {shown}, which is only for {list_in_backticks(source.packages)}"
            )
        raise LockError(f"`{name}` was resolved from {shown}, which is not an index of this environment")


def check_local_names(packages: list[dict[str, Any]], names: Collection[str]) -> None:
    """Raise LockError if a package whose name is that of a local project comes from an index.

    Otherwise a stranger could register the name of an internal project on a public index, and it would be installed.
    """
    for package in packages:
        name = str(package["name"])
        if name in names and package.keys() & {"wheels", "sdist"}:
            raise LockError(
                f"`{name}` is the name of a local project, but was resolved from an index",
                hint=f"add `{name}` to the dependencies of the project, and its directory to `[tool.uv.sources]`",
            )


def allow_only_hashes(environment: DesiredEnvironment, packages: list[dict[str, Any]]) -> None:
    """Remove the files that a requirement's hashes do not allow; raise LockError if a package has none left.

    A local archive is identified by its path, which is absolute in the engine's output.
    """
    allowed: dict[str, set[str]] = {}
    for line in environment.requirements:
        if line.hashes:
            key = canonicalize_name(Requirement(line.text).name) if line.path is None else str(line.path)
            allowed.setdefault(key, set()).update(each.removeprefix("sha256:") for each in line.hashes)
    for package in packages:
        archive = package.get("archive")
        hashes = allowed.get(package["name"]) or allowed.get(archive.get("path", "") if archive else "")
        if hashes is None:
            continue
        wheels = [wheel for wheel in package.get("wheels", []) if wheel["hashes"].get("sha256") in hashes]
        sdist = package.get("sdist")
        kept_sdist = sdist if sdist and sdist["hashes"].get("sha256") in hashes else None
        if not wheels and not kept_sdist and not (archive and archive["hashes"].get("sha256") in hashes):
            named = f"`{package['name']}` {package.get('version', '')}"
            raise LockError(
                f"no file of {named} has a hash that the requirements file allows",
                hint="find out why the file differs, then update the hashes in the requirements file",
            )
        if archive is None:
            for key, kept in (("wheels", wheels), ("sdist", kept_sdist)):
                if kept:
                    package[key] = kept
                else:
                    package.pop(key, None)
