"""The desired state: what the manifest asks for once templates, matrix and files are expanded (design, section 4).

Plain frozen values, no pydantic: text has become values at this door, and nothing below it parses again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

Prerelease: TypeAlias = Literal["disallow", "allow", "if-necessary", "explicit"]
# No symlinks: an environment of links lives and dies with the cache, and could not be sealed.
LinkMode: TypeAlias = Literal["clone", "hardlink", "copy"]
CacheOwner: TypeAlias = Literal["own", "user"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """One package index (PEP 503 or 691), without credentials; `packages` are the name patterns pinned to it."""

    name: str
    url: str
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementLine:
    """One requirement as PEP 508 text written anew by `packaging`, where it came from, and the hashes it allows.

    `hashes` are `sha256:<hex>` of the files allowed (pip's `--hash`); empty means any. `editable` lines and lines
    that name a local directory or archive have `path`, absolute, its `extras`, and its `marker` (PEP 508, empty if
    none); `text` is then what to print, with the path relative to the manifest.
    """

    text: str
    source: str
    hashes: tuple[str, ...] = ()
    path: Path | None = None
    editable: bool = False
    extras: tuple[str, ...] = ()
    marker: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalProject:
    """The project that is itself installed: its directory, and what its static metadata (PEP 621, 735) asks for.

    `requirements` are the dependencies of the project, its chosen extras and groups. `static` is False where
    dependencies or version are only known after a build (`dynamic`, or no `[project]` table); `name` is empty where
    even that is. `path` is absolute without symlinks, `relative` is from the manifest's directory (POSIX).
    """

    path: Path
    relative: str
    name: str
    version: str | None
    editable: bool
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    requirements: tuple[str, ...]
    static: bool
    metadata_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProbe:
    """Passes when the built environment can import `module`; `timeout` is in seconds."""

    module: str
    timeout: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandProbe:
    """Passes when `argv`, started in the built environment, exits 0 within `timeout` seconds."""

    argv: tuple[str, ...]
    timeout: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DependenciesProbe:
    """Passes when every installed distribution's requirements are met, as `pip check` would say."""

    timeout: float = 60.0


Probe: TypeAlias = ImportProbe | CommandProbe | DependenciesProbe


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """Commands (argv lists) to run after an environment was published and before it is deleted."""

    after_publish: tuple[tuple[str, ...], ...] = ()
    before_delete: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredEnvironment:
    """One environment as it should be.

    `python` is the request as written: a version (`3.12`), a PEP 440 specifier set, or an absolute path.
    `builds` is "allow", "deny" or the normalized names that may be built. `place` is where the manifest declares it.
    """

    name: str
    python: str
    place: str = ""
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    requirements: tuple[RequirementLine, ...] = ()
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    project: LocalProject | None = None
    exclude_newer: str | None = None
    prerelease: Prerelease = "if-necessary"
    builds: Literal["allow", "deny"] | tuple[str, ...] = "allow"
    system_site_packages: bool = False
    ignore: tuple[str, ...] = ()
    ignore_files: tuple[str, ...] = ()
    compile_bytecode: bool = False
    link_mode: LinkMode | None = None
    keep_generations: int = 3
    env: Mapping[str, str] = field(default_factory=dict)
    probes: tuple[Probe, ...] = ()
    hooks: Hooks = Hooks()
    depends_on: tuple[str, ...] = ()
    prevent_destroy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class InputFile:
    """A file that the desired state was read from, and the SHA-256 of its bytes (hexadecimal; empty: not there)."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredState:
    """Everything that one manifest asks for on this machine.

    `environments` are those selected, by name; `declared` are the names of all of them, selected or not;
    `selected` says whether a selection was made (nothing outside it may then be deleted). `file` is as the user named
    it, `root` and `locks` are absolute. `inputs` are all the files that it was made from, sorted by path.
    """

    project: str
    file: Path
    root: Path
    locks: Path
    digest: str
    cache: CacheOwner = "own"
    indexes: tuple[Index, ...] = ()
    environments: tuple[DesiredEnvironment, ...] = ()
    declared: frozenset[str] = frozenset()
    selected: bool = False
    inputs: tuple[InputFile, ...] = ()
