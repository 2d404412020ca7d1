"""The actual state: what is on disk, read without running any of it (design, section 6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Depth(StrEnum):
    """How closely to look: as pip freeze does; every file by its stat signature; every file by its hash."""

    METADATA = "metadata"
    FILES = "files"
    HASHES = "hashes"


class Occupant(StrEnum):
    """What stands at an environment's path."""

    ABSENT = "absent"  # nothing
    PUBLISHED = "published"  # our symlink to one of our generations
    DANGLING = "dangling"  # our symlink, but its generation is gone or was never sealed
    DIRECTORY = "directory"  # a directory that is no environment
    VENV = "venv"  # a directory with pyvenv.cfg: somebody's own environment
    SYMLINK = "symlink"  # a symlink to anywhere else
    OTHER = "other"  # a file, socket, ...


class FindingCode(StrEnum):
    """Everything that can be wrong with an environment, its metadata and its files; stable, for JSON."""

    # the environment itself
    MISSING_PYVENV_CFG = "missing-pyvenv-cfg"
    BAD_PYVENV_CFG = "bad-pyvenv-cfg"  # unreadable, or without `home`
    WRONG_HOME = "wrong-home"  # `home` names another interpreter than the one it was built with
    DANGLING_INTERPRETER = "dangling-interpreter"  # bin/python leads nowhere
    SYSTEM_SITE_PACKAGES = "system-site-packages-flipped"
    MOVED = "moved"  # scripts or activate name another place
    FOREIGN_DIRECTORY = "foreign-directory"  # not ours: a plain directory at the path
    FOREIGN_VENV = "foreign-venv"  # not ours: somebody's own environment at the path
    FOREIGN_SYMLINK = "foreign-symlink"  # not ours: a link to elsewhere at the path
    FOREIGN_FILE = "foreign-file"  # not ours: a file or other thing at the path
    UNREADABLE = "unreadable"  # a file or directory could not be read
    # a distribution's metadata
    MISSING_METADATA = "missing-metadata"
    EMPTY_METADATA = "empty-metadata"
    UNDECODABLE_METADATA = "undecodable-metadata"  # not UTF-8
    INVALID_METADATA = "invalid-metadata"  # no Name or no Version
    INVALID_VERSION = "invalid-version"  # a version that PEP 440 does not know; freeze prints ===
    MISSING_RECORD = "missing-record"
    BAD_RECORD = "bad-record"  # a RECORD that does not parse
    BAD_DIRECT_URL = "bad-direct-url"
    DUPLICATE_DIST_INFO = "duplicate-dist-info"
    LEFTOVER = "leftover"  # pip's ~name, left by an uninstall that was cut short
    EGG_LINK = "egg-link"  # a legacy editable install
    # files, against the inventory taken at publish
    FILE_CHANGED = "file-changed"
    FILE_MISSING = "file-missing"
    FILE_ADDED = "file-added"
    FILE_TYPE_CHANGED = "file-type-changed"  # a file became a link, a directory became a file, ...
    MODE_CHANGED = "mode-changed"  # the executable bit
    STRAY_BYTECODE = "stray-bytecode"  # a .pyc without its source, or outside __pycache__
    BYTECODE_MISMATCH = "bytecode-mismatch"  # a .pyc whose header is not its source's (depth hashes)
    INVENTORY_UNREADABLE = "inventory-unreadable"  # the generation's own records are damaged


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One thing that is wrong. `path` is relative to the environment (POSIX, empty for the whole).

    `package` is the normalized name of the distribution it belongs to, empty if none; `content` is the SHA-256 of
    what is there, where a file is there; `detail` is a sentence for a person.
    """

    code: FindingCode
    path: str = ""
    package: str = ""
    detail: str = ""
    content: str = ""

    @property
    def key(self) -> str:
        """Return what tells this finding from another: code, path and content."""
        return f"{self.code}:{self.path}:{self.content}"


class OriginKind(StrEnum):
    """Where an installed distribution says it came from (PEP 610 direct_url.json, or its absence)."""

    INDEX = "index"
    ARCHIVE = "archive"
    VCS = "vcs"
    DIRECTORY = "directory"
    EDITABLE = "editable"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledFrom:
    """A distribution's origin; `url` is empty for an index. `commit` and `hash` (`sha256=...`) where recorded."""

    kind: OriginKind = OriginKind.INDEX
    url: str = ""
    commit: str = ""
    vcs: str = ""
    hash: str = ""
    subdirectory: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One installed distribution (PEP 376, `*.dist-info`; legacy `*.egg-info` and `*.egg-link`).

    `key` is the normalized name, `name` and `version` stand as the metadata has them; `place` is the metadata
    directory or file relative to the environment (of what lies outside it: the `.egg-link` or `.pth` that leads there);
    `location` is what holds its modules, absolute outside the environment. `named_version` is the version in the
    metadata directory's name, which pip believes before METADATA's (empty if it has none).
    """

    key: str
    name: str
    version: str
    origin: InstalledFrom = InstalledFrom()
    place: str = ""
    location: str = ""
    installer: str = ""
    named_version: str = ""

    @property
    def identity(self) -> str:
        """Return version and origin as one text: equal exactly when the same thing is installed."""
        parts = [self.version, self.origin.kind.value, self.origin.url, self.origin.commit, self.origin.hash]
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActualEnvironment:
    """What stands at one environment's path.

    `generation` is the published generation's number (0: none). `python` and `home` are pyvenv.cfg's. Distributions
    are sorted by key, findings by their order; both complete: nothing unreadable is dropped, it becomes a finding.
    """

    name: str
    path: str
    occupant: Occupant
    depth: Depth
    generation: int = 0
    seal: str = ""
    python: str = ""
    home: str = ""
    system_site_packages: bool = False
    distributions: tuple[Distribution, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActualState:
    """What is on disk, by environment name."""

    environments: Mapping[str, ActualEnvironment]
    depth: Depth
