"""A lock, and the packages that it selects for one interpreter (PEP 751)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    subdirectory: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VcsCommit:
    """A commit of a repository (PEP 610 `vcs_info`)."""

    vcs: str
    url: str
    commit: str
    subdirectory: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDirectory:
    """A local directory; `path` is relative to the lock where it can be.

    `content` digests what would be installed: the metadata of an editable project, else the source files.
    """

    path: str
    editable: bool
    content: str


Source: TypeAlias = IndexFile | ArchiveFile | VcsCommit | SourceDirectory


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPackage:
    """One package as the lock wants it on one interpreter; `version` is None where only a build would tell."""

    name: str
    version: str | None
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedLock:
    """A PEP 751 document, as `packaging` has it, too, and what that selects, by an interpreter's tags and markers.

    `digest` is of the text.
    """

    document: Mapping[str, Any] = field(repr=False)
    pylock: "Pylock" = field(repr=False)
    digest: str
    selections: "dict[tuple[object, ...], Selected]" = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """One environment's lock: the PEP 751 document, and the digest of the inputs it was resolved from.

    `document` is the parsed TOML, `[tool.envsync]` included, and `parsed` all that was made of it, which
    locks of the same text share. `inputs` is None in a lock that somebody else wrote.
    """

    environment: str
    path: Path
    document: Mapping[str, Any] = field(repr=False)
    inputs: str | None
    digest: str
    parsed: ParsedLock | None = field(default=None, repr=False, compare=False)
