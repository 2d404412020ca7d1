"""What is refused in a lock: a file of a pull request decides what is installed from where.

A lock is compared with the manifest: each package comes from an index that may serve it, each file from a host of that
index and with a strong hash, and URLs, repositories and paths only if something declares them for the package. See
docs/design.md, "Lock".
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from reconciler.backticks import in_backticks, list_in_backticks
from reconciler.fs.repository_top import repository_of
from reconciler.lock.checks import index_problem
from reconciler.lock.declared_sources import DeclaredSources
from reconciler.manifest.desired import DesiredEnvironment, DesiredState, Index
from reconciler.manifest.index_hosts import Origin, origin_of, serves_from
from reconciler.manifest.index_rules import DEFAULT_INDEX, may_serve, used_indexes
from reconciler.manifest.source_text import KeyPath
from reconciler.manifest.urls import canonical_url, directory_of_url
from reconciler.redaction import redact_url

LARGEST_FILE = 64 * 1024**3  # bytes
_STRONG = {"sha256": 64, "sha384": 96, "sha512": 128}  # hexadecimal digits
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]+")
_FULL_COMMIT = re.compile(r"[0-9a-fA-F]{40}(?:[0-9a-fA-F]{24})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One thing in a lock that is refused: its key path, its text, what is wrong, and what to do about it."""

    path: KeyPath
    text: str
    message: str
    hint: str


def lock_refusals(
    packages: Sequence[Mapping[str, Any]],
    environment: DesiredEnvironment,
    desired: DesiredState,
    base: Path,
    *,
    names_indexes: bool = True,
) -> Iterator[Refusal]:
    """Yield everything that is refused in the packages (PEP 751) of an environment's lock, in their order.

    Paths in it are relative to the directory `base`. Without `names_indexes`, a package that has no `index` may come
    from any index that may serve it: locks of other tools need not name the index. Raises LockError if a build file
    that may declare a source cannot be read.
    """
    checks = _Checks(environment, desired, base, names_indexes)
    for at, package in enumerate(packages):
        yield from checks.package(package, ("packages", at))


@dataclass(slots=True)
class _Checks:
    environment: DesiredEnvironment
    desired: DesiredState
    base: Path
    names_indexes: bool
    indexes: tuple[Index, ...] = field(init=False)
    declared: DeclaredSources = field(init=False)
    allowed_hashes: Mapping[str, frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.indexes = used_indexes(self.desired.indexes, self.environment.indexes) or (DEFAULT_INDEX,)
        self.declared = DeclaredSources(self.environment)
        self.allowed_hashes = _hashes_of_requirements(self.environment)

    def package(self, package: Mapping[str, Any], path: KeyPath) -> Iterator[Refusal]:
        """Yield what is refused about one package."""
        name = canonicalize_name(str(package["name"]))
        serving = tuple(each for each in self.indexes if may_serve(each, name, self.indexes))
        index = package.get("index")
        if index is not None:
            if refusal := self._index(name, str(index), (*path, "index")):
                yield refusal  # the hosts of its files follow from that
                return
            wanted = canonical_url(str(index))
            serving = tuple(each for each in serving if canonical_url(each.url) == wanted) or serving
        for file, place in _files(package, path):
            yield from self._hashes_and_size(name, file, place)
            if "path" in file:
                yield from self._file_path(name, str(file["path"]), (*place, "path"), serving)
            if "url" in file:
                yield from self._file_url(name, str(file["url"]), (*place, "url"), serving, named=index is not None)
        for key in ("archive", "vcs", "directory"):
            if key in package:
                yield from self._direct(name, key, package[key], (*path, key))

    def _index(self, name: str, url: str, path: KeyPath) -> Refusal | None:
        if _has_credentials(url):
            return self._credentials(name, url, path)
        problem = index_problem(name, url, self.indexes)
        if not problem:
            return None
        return Refusal(path=path, text=url, message=problem, hint=self._index_hint(url))

    def _file_path(self, name: str, text: str, path: KeyPath, serving: tuple[Index, ...]) -> Iterator[Refusal]:
        """Yield a refusal unless a file is in an index that is a relative directory."""
        real = Path(os.path.realpath(self.base / text))
        if any(each.relative and _is_in_directory(each, real) for each in serving):
            return
        if self.environment.lock is not None and self._is_in_repository(real):
            return
        message = f"the file of `{name}` has the path {in_backticks(text)}, but {_indexes_in_words(serving)}"
        yield Refusal(path=path, text=text, message=message, hint=self._again())

    def _file_url(
        self, name: str, url: str, path: KeyPath, serving: tuple[Index, ...], *, named: bool
    ) -> Iterator[Refusal]:
        """Yield a refusal unless the URL of a file is on a host of the package's index."""
        if _may_have_files_at(serving, _up_to_path(url)) and (named or not self.names_indexes):
            if _has_credentials(url):
                yield self._credentials(name, url, path)
            return
        directory, origin, hint = directory_of_url(url), origin_of(url), self._again()
        if _has_credentials(url):
            yield self._credentials(name, url, path)
            return
        if not named and self.names_indexes:
            message = f"the file of `{name}` is at {_shown(url)}, but the package has no `index`"
        elif directory is not None:
            real = Path(os.path.realpath(directory))
            if url.startswith("file:///") and any(
                not each.relative and _is_in_directory(each, real) for each in serving
            ):
                return
            message = f"the file of `{name}` is at {in_backticks(url)}, but {_indexes_in_words(serving)}"
        elif origin is None:
            message = (
                f"the file of `{name}` has a URL that is not supported: {_shown(url)}; {_indexes_in_words(serving)}"
            )
        else:
            message = f"the file of `{name}` is on `{origin}`, but {_indexes_in_words(serving)}"
            hint = self._host_hint(origin, serving)
        yield Refusal(path=path, text=url, message=message, hint=hint)

    def _direct(self, name: str, kind: str, source: Mapping[str, Any], path: KeyPath) -> Iterator[Refusal]:
        """Yield what is refused about a package from a URL, a repository, or a local directory or archive."""
        if kind == "archive":
            yield from self._hashes_and_size(name, source, path)
        if "path" in source:
            text = str(source["path"])
            if not self._has_path(self.base / text):
                yield self._undeclared(name, text, (*path, "path"))
        if "url" not in source:
            return
        url, place = str(source["url"]), (*path, "url")
        if _has_credentials(url):
            yield self._credentials(name, url, place)
        elif kind == "vcs":
            yield from self._repository(name, source, url, path)
        elif (directory := directory_of_url(url)) is not None:
            if not self._has_path(directory):
                yield self._undeclared(name, url, place)
        elif origin_of(url) is None:
            message = f"`{name}` has a URL that is not supported: {_shown(url)}"
            yield Refusal(path=place, text=url, message=message, hint=self._again())
        elif not self.declared.has_archive(name, url):
            yield self._undeclared(name, url, place, requirement=url)

    def _repository(self, name: str, source: Mapping[str, Any], url: str, path: KeyPath) -> Iterator[Refusal]:
        kind, commit = str(source.get("type", "")), str(source.get("commit-id", ""))
        if kind != "git":
            message = f"`{name}` comes from a repository of type {in_backticks(kind)}, but only `git` is supported"
            yield Refusal(path=(*path, "type"), text=kind, message=message, hint=self._again())
        elif not _FULL_COMMIT.fullmatch(commit):
            message = f"`{name}` has the commit {in_backticks(commit)}, but only a full hash names one commit"
            yield Refusal(path=(*path, "commit-id"), text=commit, message=message, hint=self._again())
        elif not self.declared.has_repository(name, url):
            yield self._undeclared(name, url, (*path, "url"), requirement=f"git+{url}")
        elif not self.declared.has_repository(name, url, commit):
            message = f"`{name}` has the commit `{commit}`, but its requirement names a different one"
            yield Refusal(path=(*path, "commit-id"), text=commit, message=message, hint=self._again())

    def _undeclared(self, name: str, text: str, path: KeyPath, *, requirement: str = "") -> Refusal:
        message = f"`{name}` comes from {_shown(text)}, but nothing declares that for this package"
        hint = self._declare_hint(name, requirement) if requirement else self._again()
        return Refusal(path=path, text=text, message=message, hint=hint)

    def _again(self) -> str:
        """Return what makes the lock without the thing that is refused."""
        name, source = self.environment.name, self.environment.lock
        if source is not None and not self.names_indexes:
            return f"make `{source.relative}` again with its tool, then run `envsync lock {name}`"
        return f"run `envsync lock {name}`"

    def _index_hint(self, url: str) -> str:
        again, declared = self._again(), {canonical_url(each.url) for each in self.desired.indexes}
        if origin_of(url) is None or canonical_url(url) in declared:
            return again
        return f"{again}; if {_shown(url)} is the right index, first add it to `indexes`"

    def _host_hint(self, origin: Origin, serving: tuple[Index, ...]) -> str:
        again, index = self._again(), next((each for each in serving if each.name), None)
        if index is None or (origin.scheme == "http" and not index.url.lower().startswith("http:")):
            return again
        hosts = ", ".join((*index.file_hosts, origin.place))
        return (
            f"{again}; if index `{index.name}` serves its files from `{origin.place}`, "
            f"first write `file_hosts: [{hosts}]` in that index"
        )

    def _declare_hint(self, package: str, url: str) -> str:
        name, source, requirement = self.environment.name, self.environment.lock, f"{package} @ {redact_url(url)}"
        if source is None:
            return f"run `envsync lock {name}`; if the URL is right, first add `{requirement}` to `packages`"
        if self.names_indexes:  # the lock that was made from it
            return self._again()
        return (
            f"make `{source.relative}` again with its tool, then run `envsync lock {name}`; if the URL is right, first "
            f"write `{requirement}` in the dependencies of the pyproject.toml next to `{source.relative}`"
        )

    def _has_path(self, path: Path) -> bool:
        """Return whether a package may come from a path: any in the repository, in the lock of another tool."""
        if self.environment.lock is not None and self._is_in_repository(path):
            self.declared.directories.append(Path(os.path.realpath(path)))
            return True
        return self.declared.has_path(path)

    def _is_in_repository(self, path: Path) -> bool:
        """Return whether a path is in the repository of the manifest, or in the project of the other tool's lock."""
        directory = Path(os.path.realpath(self.desired.file.absolute().parent))
        tops = [repository_of(directory) or directory, *([lock.path.parent] if (lock := self.environment.lock) else [])]
        real = Path(os.path.realpath(path))
        return any(real.is_relative_to(each) for each in tops)

    def _hashes_and_size(self, name: str, file: Mapping[str, Any], path: KeyPath) -> Iterator[Refusal]:
        hashes = file.get("hashes", {})
        sha256 = str(hashes.get("sha256", ""))
        if not (len(hashes) == 1 and _SHA256.fullmatch(sha256)):
            yield from self._hashes(name, hashes, path)
        allowed = self.allowed_hashes.get(name)
        if allowed is not None and sha256.lower() not in allowed:
            message = f"a file of `{name}` has a hash that the requirements do not allow: {in_backticks(sha256)}"
            yield Refusal(path=(*path, "hashes"), text=sha256, message=message, hint=self._again())
        size = file.get("size")
        if size is not None and not (type(size) is int and 0 < size <= LARGEST_FILE):
            message = f"a file of `{name}` has {in_backticks(str(size))} bytes, but 1 to {LARGEST_FILE} are possible"
            yield Refusal(path=(*path, "size"), text=str(size), message=message, hint=self._again())

    def _hashes(self, name: str, hashes: Mapping[str, Any], path: KeyPath) -> Iterator[Refusal]:
        expected = list_in_backticks(_STRONG)
        if not hashes:
            message = f"a file of `{name}` has no hash, but must have one of {expected}"
            yield Refusal(path=path, text="", message=message, hint=self._again())
        for kind, value in hashes.items():
            length = _STRONG.get(kind)
            if length is None:
                message = (
                    f"a file of `{name}` has a hash of type {in_backticks(kind)}, but only {expected} are accepted"
                )
                yield Refusal(path=(*path, "hashes", kind), text=kind, message=message, hint=self._again())
            elif len(str(value)) != length or not _HEXADECIMAL.fullmatch(str(value)):
                message = f"a file of `{name}` has a `{kind}` that is not {length} hexadecimal digits"
                yield Refusal(path=(*path, "hashes", kind), text=str(value), message=message, hint=self._again())

    def _credentials(self, name: str, url: str, path: KeyPath) -> Refusal:
        message = f"the URL of `{name}` contains credentials: {_shown(url)}"
        return Refusal(path=path, text=url, message=message, hint=self._again())


def _hashes_of_requirements(environment: DesiredEnvironment) -> dict[str, frozenset[str]]:
    """Return by package name the SHA-256 (hexadecimal) that requirements files allow, if they list any."""
    found: dict[str, set[str]] = {}
    for line in environment.requirements:
        if line.hashes and line.path is None:
            name = canonicalize_name(Requirement(line.text).name)
            found.setdefault(name, set()).update(each.removeprefix("sha256:").lower() for each in line.hashes)
    return {name: frozenset(each) for name, each in found.items()}


def _files(package: Mapping[str, Any], path: KeyPath) -> Iterator[tuple[Mapping[str, Any], KeyPath]]:
    for at, wheel in enumerate(package.get("wheels", ())):
        yield wheel, (*path, "wheels", at)
    if "sdist" in package:
        yield package["sdist"], (*path, "sdist")


def _up_to_path(url: str) -> str:
    """Return scheme, host and port of a URL, as they are written."""
    scheme, separator, rest = url.partition("://")
    return scheme + separator + rest.partition("/")[0]


@lru_cache(maxsize=4096)
def _may_have_files_at(serving: tuple[Index, ...], start: str) -> bool:
    """Return whether one of the indexes has files on the host in `start`, which is asked for every file of a lock."""
    origin = origin_of(start)
    return origin is not None and any(serves_from(each, origin) for each in serving)


def _has_credentials(url: str) -> bool:
    scheme, _, rest = url.partition("://")
    user, separator, _ = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")
    is_login = scheme.endswith("ssh") and ":" not in user  # `git@` is not a secret
    return (bool(separator) and not is_login) or redact_url(url) != url


def _is_in_directory(index: Index, real: Path) -> bool:
    """Return whether a file (a path without symbolic links) belongs to an index that is a directory.

    The pages of a mirror link to files next to them (`simple` and `packages`), and its files may be links.
    """
    directory = directory_of_url(index.url)
    if directory is None:
        return False
    top = Path(os.path.realpath(directory))
    is_below_root = top.parent == top.parent.parent  # everything is next to `/wheels`
    return real.is_relative_to(top if is_below_root else top.parent) or os.path.realpath(top / real.name) == str(real)


def _indexes_in_words(serving: tuple[Index, ...]) -> str:
    """Return where the files of a package may be."""
    found = []
    for each in serving:
        origin = origin_of(each.url)
        place = str(origin) if origin else each.relative or each.url
        more = f", with files on {list_in_backticks(each.file_hosts)}" if each.file_hosts else ""
        is_named = f"index `{each.name}` is at {in_backticks(place)}{more}"
        found.append(is_named if each.name else "the default index (PyPI) has no files there")
    return ", and ".join(found) or "no index of this environment may serve it"


def _shown(url: str) -> str:
    return in_backticks(redact_url(url))
