"""A lock (PEP 751), and the packages that it selects for one interpreter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from packaging.pylock import (
        Package,
        PackageArchive,
        PackageDirectory,
        PackageSdist,
        PackageVcs,
        PackageWheel,
        Pylock,
    )

Artifact: TypeAlias = "PackageVcs | PackageDirectory | PackageArchive | PackageWheel | PackageSdist"
Selected: TypeAlias = "tuple[tuple[Package, Artifact], ...]"


class LockState(StrEnum):
    """Whether an environment's lock is up to date with its inputs."""

    FRESH = "fresh"
    STALE = "stale"
    MISSING = "missing"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFile:
    """A wheel or source distribution from an index; `sha256` is hexadecimal."""

    index: str
    filename: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveFile:
    """A wheel or source archive named by URL or by path (relative to the lock); `sha256` is hexadecimal."""

    location: str
    sha256: str
    subdirectory: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UniversalSource(ArchiveFile):
    """Everything that a lock has for a package, for all interpreters; `sha256` is a digest of all that decides.

    `hosts` are those of its index and of its files (`https://HOST`, or `file:`). `files` has the hash of each file by
    its name, `publishers` the identities in its attestations (PEP 740). A record never contains it.
    """

    hosts: tuple[str, ...]
    files: tuple[tuple[str, str], ...]
    publishers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VcsCommit:
    """A commit of a repository (PEP 610 `vcs_info`)."""

    vcs: str
    url: str
    commit: str
    subdirectory: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDirectory:
    """A local directory; `path` is relative to the lock if possible.

    `content` is a digest of what would be installed: the metadata files of an editable project, else the source files.
    """

    path: str
    editable: bool
    content: str


Source: TypeAlias = IndexFile | ArchiveFile | VcsCommit | SourceDirectory


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPackage:
    """A package that a lock selects for one interpreter; `version` is None if only a build reveals it."""

    name: str
    version: str | None
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedLock:
    """A PEP 751 document as TOML values and as `packaging` parses it, and the selections that were made from it.

    `digest` is that of the text; `selections` has them by an interpreter's tags and markers.
    """

    document: Mapping[str, Any] = field(repr=False)
    pylock: "Pylock" = field(repr=False)
    digest: str
    selections: "dict[tuple[object, ...], Selected]" = field(default_factory=dict, repr=False, compare=False)


def lock_file_name(environment: str) -> str:
    """Return the name of an environment's lock file."""
    return f"pylock.{environment}.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """One environment's lock: the PEP 751 document, and the digest of the inputs it was resolved from.

    `document` is the parsed TOML, `[tool.envsync]` included. Locks with the same text share `parsed`. `inputs` is None
    in a lock that another tool wrote.
    """

    environment: str
    path: Path
    document: Mapping[str, Any] = field(repr=False)
    inputs: str | None
    digest: str
    parsed: ParsedLock | None = field(default=None, repr=False, compare=False)

    @property
    def has_former_name(self) -> bool:
        """Return whether the lock is still in the file of a renamed environment's former name."""
        return self.path.name != lock_file_name(self.environment)
