"""The actual state: what is on disk, read without running any of it (docs/design.md, "Observation")."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Depth(StrEnum):
    """How closely to observe: what pip freeze reads; every file by its stat signature; every file by its hash."""

    METADATA = "metadata"
    FILES = "files"
    HASHES = "hashes"


class Occupant(StrEnum):
    """What exists at an environment's path."""

    ABSENT = "absent"  # nothing
    PUBLISHED = "published"  # our symbolic link to one of our sealed generations
    DANGLING = "dangling"  # our symbolic link, but its generation is missing or was never sealed
    DIRECTORY = "directory"  # a directory without pyvenv.cfg
    VENV = "venv"  # a directory with pyvenv.cfg, which envsync did not create
    SYMLINK = "symlink"  # any other symbolic link
    OTHER = "other"  # a file of any other type


class FindingCode(StrEnum):
    """What can be wrong with an environment, its metadata and its files; stable, for JSON."""

    # The words of each code are in `reconciler.diff.findings`. A comment here only adds what they do not say.
    # the environment itself
    MISSING_PYVENV_CFG = "missing-pyvenv-cfg"
    BAD_PYVENV_CFG = "bad-pyvenv-cfg"  # unreadable, or without `home`
    WRONG_HOME = "wrong-home"
    DANGLING_INTERPRETER = "dangling-interpreter"
    SYSTEM_SITE_PACKAGES = "system-site-packages-flipped"
    MOVED = "moved"  # `activate` counts as a script
    FOREIGN_DIRECTORY = "foreign-directory"  # a directory without pyvenv.cfg
    FOREIGN_VENV = "foreign-venv"
    FOREIGN_SYMLINK = "foreign-symlink"
    FOREIGN_FILE = "foreign-file"  # a file of any other type, for example a socket
    UNREADABLE = "unreadable"
    ACCESS_NARROWED = "access-narrowed"  # by its mode; of a closed directory only the directory itself
    SEAL_DAMAGED = "seal-damaged"  # or missing, although the record names its generation
    # a distribution's metadata
    MISSING_METADATA = "missing-metadata"
    EMPTY_METADATA = "empty-metadata"
    UNDECODABLE_METADATA = "undecodable-metadata"
    INVALID_METADATA = "invalid-metadata"
    INVALID_VERSION = "invalid-version"  # `pip freeze` prints it after `===`
    MISSING_RECORD = "missing-record"
    BAD_RECORD = "bad-record"  # it cannot be parsed
    BAD_DIRECT_URL = "bad-direct-url"
    DUPLICATE_DIST_INFO = "duplicate-dist-info"
    LEFTOVER = "leftover"  # a directory that pip renamed to `~name`
    EGG_LINK = "egg-link"  # a legacy editable install
    EDITABLE_MISSING = "editable-missing"
    # what Python runs at every start, compared with the inventory of the generation at every depth
    STARTUP_ADDED = "startup-added"
    STARTUP_CHANGED = "startup-changed"
    # files, compared with the inventory of the generation
    FILE_CHANGED = "file-changed"
    FILE_MISSING = "file-missing"
    DIRECTORY_MISSING = "directory-missing"  # it was empty; of any other, each file is missing
    FILE_ADDED = "file-added"
    FILE_TYPE_CHANGED = "file-type-changed"  # for example, a file became a symbolic link
    MODE_CHANGED = "mode-changed"  # the executable bit
    STRAY_BYTECODE = "stray-bytecode"  # a .pyc without its source, or outside __pycache__
    BYTECODE_MISMATCH = "bytecode-mismatch"  # its header does not match the source (depth `hashes`)
    INVENTORY_UNREADABLE = "inventory-unreadable"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One thing that is wrong. `path` is relative to the environment (POSIX, empty for the environment itself).

    `package` is the normalized name of the distribution that it belongs to, empty if there is none. `content` is the
    SHA-256 of the file at `path`, empty if no file exists. `detail` is a sentence for people.
    """

    code: FindingCode
    path: str = ""
    package: str = ""
    detail: str = ""
    content: str = ""

    @property
    def key(self) -> str:
        """Return code, path and content as one text: equal for the same finding in two observations."""
        return f"{self.code}:{self.path}:{self.content}"


STARTUP_CODES = frozenset({FindingCode.STARTUP_ADDED, FindingCode.STARTUP_CHANGED})


class StartupState(StrEnum):
    """How a startup file compares with the seal of its generation."""

    SEALED = "sealed"  # part of the generation, with the sealed contents
    ADDED = "added"
    CHANGED = "changed"
    OUTSIDE = "outside"  # of the base interpreter, or in a directory that a `.pth` file adds: no seal contains it
    UNKNOWN = "unknown"  # not compared, because the seal is missing or cannot be read


@dataclass(frozen=True, slots=True, kw_only=True)
class StartupFile:
    """A file by which Python runs code at every start; `detail` is a sentence that says how.

    `path` is relative to the environment (POSIX), or absolute if the file is outside. `package` is the normalized name
    of the distribution whose RECORD lists it, empty if there is none or it is not known.
    """

    path: str
    detail: str
    state: StartupState = StartupState.UNKNOWN
    package: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedInode:
    """The inode of an edited file that has other hard links; `path` is relative to the environment (POSIX)."""

    path: str
    device: int
    inode: int


class OriginKind(StrEnum):
    """Where an installed distribution came from (PEP 610 direct_url.json; from an index if that is missing)."""

    INDEX = "index"
    ARCHIVE = "archive"
    VCS = "vcs"
    DIRECTORY = "directory"
    EDITABLE = "editable"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledFrom:
    """A distribution's origin; `url` is empty for an index, `commit` and `hash` (`sha256=...`) if not recorded."""

    kind: OriginKind = OriginKind.INDEX
    url: str = ""
    commit: str = ""
    vcs: str = ""
    hash: str = ""
    subdirectory: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One installed distribution (PEP 376, `*.dist-info`; legacy `*.egg-info` and `*.egg-link`).

    `key` is the normalized name; `name` and `version` are as in the metadata. `place` is the metadata directory or file
    relative to the environment; for a distribution outside it, the `.egg-link` or `.pth` file that points to it.
    `location` is the directory of its modules, an absolute path if it is outside the environment. `named_version` is
    the version in the metadata directory's name, which pip prefers to the one in METADATA (empty if there is none).
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
        """Return version and origin as one text: equal exactly if the same distribution is installed."""
        parts = [self.version, self.origin.kind.value, self.origin.url, self.origin.commit, self.origin.hash]
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActualEnvironment:
    """What exists at one environment's path.

    `generation` is the published generation's number (0: none). `python` and `home` are from pyvenv.cfg. Distributions
    are sorted by key, findings in their own order. Both are complete: what could not be read is a finding. `ignored`
    are the findings about files that `ignore_files` matches: they are not drift, but a rebuild must not lose them.
    `edited` are the inodes of edited files that others may share. `startup` are the files that make Python run code at
    every start. Neither is part of a snapshot.
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
    ignored: tuple[Finding, ...] = ()
    edited: tuple[EditedInode, ...] = field(default=(), compare=False)
    startup: tuple[StartupFile, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActualState:
    """The actual state of several environments, by name."""

    environments: Mapping[str, ActualEnvironment]
    depth: Depth
