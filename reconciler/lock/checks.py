"""Checks the rules of the manifest on a resolved lock, because resolvers do not enforce them for all packages."""

from collections.abc import Collection
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from reconciler.backticks import in_backticks, list_in_backticks
from reconciler.errors import LockError
from reconciler.manifest.desired import DesiredEnvironment, Index
from reconciler.manifest.index_hosts import is_default_index
from reconciler.manifest.index_rules import DEFAULT_INDEX, index_of_url, may_serve, pinned_to
from reconciler.manifest.urls import canonical_url, plain_url
from reconciler.redaction import redact_url


def check_indexes(packages: list[dict[str, Any]], indexes: tuple[Index, ...]) -> None:
    """Raise LockError if a package comes from an index of `indexes` (`used_indexes`) that must not serve it.

    The engine asks no such index. This check makes sure, because a wrong index means dependency confusion.
    """
    for package in packages:
        problem = index_problem(str(package["name"]), str(package.get("index", "")), indexes)
        if "index" in package and problem:
            raise LockError(problem, hint=None)


def index_problem(name: str, url: str, indexes: tuple[Index, ...]) -> str:
    """Return why the package `name` (normalized) must not come from the index at `url`; empty if it may.

    `indexes` are those of the environment (`used_indexes`); none of them means the default index alone.
    """
    url, indexes = url.rstrip("/"), indexes or (DEFAULT_INDEX,)
    allowed = [each for each in indexes if may_serve(each, name, indexes)]
    wanted = canonical_url(url)
    if any(wanted == canonical_url(each.url) for each in allowed if each is not DEFAULT_INDEX):
        return ""
    source = index_of_url(url, indexes)
    if DEFAULT_INDEX in allowed and source is None and is_default_index(url):
        return ""
    shown = in_backticks(redact_url(url))
    if source is not None:
        shown = f"`{source.name}` ({shown})"
    if pinned_to(name, indexes):
        pinned = " or ".join(f"`{each.name}` (`{plain_url(each.url)}`)" for each in allowed)
        return f"`{name}` is pinned to index {pinned}, but comes from {shown}"
    if source is not None and source.packages and wanted == canonical_url(source.url):
        return f"`{name}` comes from index {shown}, which is only for {list_in_backticks(source.packages)}"
    used = " and ".join(_in_words(each) for each in allowed) or "no index that may serve it"
    return f"`{name}` comes from {shown}, which is not an index of this environment: it uses {used}"


def _in_words(index: Index) -> str:
    return f"`{index.name}` (`{plain_url(index.url)}`)" if index.name else "the default index (PyPI)"


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
