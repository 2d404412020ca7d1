"""Checks the rules of the manifest on a resolved lock, because resolvers do not enforce them for all packages."""

from collections.abc import Collection
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from reconciler.backticks import list_in_backticks
from reconciler.errors import LockError
from reconciler.manifest.desired import DesiredEnvironment, Index


def plain_url(url: str) -> str:
    """Return `url` without user name and password (`git@` in an ssh URL is not a secret and stays)."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    user, _, host = parts.netloc.rpartition("@")
    keep = f"{user}@" if parts.scheme.endswith("ssh") and ":" not in user else ""
    return urlunsplit(parts._replace(netloc=keep + host))


def _canonical_url(url: str) -> str:
    """Return `url` in a form to compare: host in lower case, no default port, no slash at the end."""
    parts = urlsplit(plain_url(url))
    host = parts.netloc.lower().removesuffix({"http": ":80", "https": ":443"}.get(parts.scheme, ":"))
    return urlunsplit(parts._replace(netloc=host)).rstrip("/")


def check_indexes(packages: list[dict[str, Any]], indexes: tuple[Index, ...]) -> None:
    """Raise LockError if a package comes from a different index than the one that it is pinned to.

    The same holds for a package from an index that is pinned to others, and for transitive packages: this prevents
    dependency confusion.
    """
    by_url = {_canonical_url(index.url): index for index in indexes}
    for package in packages:
        name, url = str(package["name"]), str(package.get("index", "")).rstrip("/")
        if not url:
            continue
        source = by_url.get(_canonical_url(url))
        pinned_to = [index for index in indexes if any(fnmatchcase(name, pattern) for pattern in index.packages)]
        shown = f"`{source.name}` (`{url}`)" if source else f"`{url}`"
        if pinned_to and source not in pinned_to:
            wanted = " or ".join(f"`{index.name}` (`{plain_url(index.url)}`)" for index in pinned_to)
            raise LockError(
                f"`{name}` is pinned to index {wanted}, but resolved from {shown}",
                hint=f"publish `{name}` on that index; a package with the same name elsewhere is a different package",
            )
        if source is not None and source.packages and not pinned_to:
            others = list_in_backticks(index.name for index in indexes if not index.packages) or "no other index"
            raise LockError(
                f"`{name}` was resolved from index {shown}, which is only for "
                f"{list_in_backticks(source.packages)}; it should come from {others}",
                hint=f"add `{name}` to the `packages` of that index if it should come from there",
            )


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
