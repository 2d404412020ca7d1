"""The interface of a package tool: resolve, create a venv, install exactly what a lock selects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from reconciler.interpreters.model import Interpreter
from reconciler.manifest.desired import Index, LinkMode, Prerelease

Builds = Literal["allow", "deny"] | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveRequest:
    """What to resolve: lines in pip's requirements format, and the rules.

    `python_version` is the lowest version to resolve for; `preferences` is an earlier lock (TOML text) whose versions
    are kept if they still fit; `exclude_newer` is an RFC 3339 time; `upgrade` is True for all packages, or lists their
    names. Without `dependencies`, only the requirements themselves are resolved. Relative paths in the resulting
    document start at `directory` (None: the document has none). `variables` are given to every build.
    """

    requirements: tuple[str, ...]
    interpreter: Interpreter
    python_version: str
    constraints: tuple[str, ...]
    overrides: tuple[str, ...]
    indexes: tuple[Index, ...]
    exclude_newer: str | None
    prerelease: Prerelease
    builds: Builds
    offline: bool
    preferences: str | None
    upgrade: bool | tuple[str, ...]
    dependencies: bool = True
    directory: Path | None
    variables: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """What to select from the engine's own lock in `directory` (for uv a uv.lock), without resolving.

    `output` is a new file `pylock.toml`; the paths in the document are relative to its directory.
    `package` is a member of the workspace (empty: the root). Without `project`, the package itself is left out, and
    without `editable`, no local project is installed in editable mode.
    """

    directory: Path
    output: Path
    interpreter: Interpreter
    package: str
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    project: bool
    editable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallRequest:
    """What to install into the venv at `venv`: exactly the packages of the PEP 751 file at `pylock`.

    `variables` are given to builds; `secrets` too, and their values are never written anywhere. `public` are the names
    of those of the variables that may be shown.
    """

    venv: Path
    pylock: Path
    indexes: tuple[Index, ...]
    link_mode: LinkMode | None
    compile_bytecode: bool
    builds: Builds
    offline: bool
    refresh: tuple[str, ...]
    variables: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    public: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedPackage:
    """A package that a generation has: its normalized name and its version."""

    name: str
    version: str


class Engine(Protocol):
    """A package tool; every method raises EngineError or ResolveError (see the tree in reconciler.errors)."""

    def resolve(self, request: ResolveRequest) -> str:
        """Return a PEP 751 document (TOML text) with hashes for every file from an index.

        Its table `tool.envsync.yanked` has the versions that their index has yanked, each with its reason (PEP 592).
        """

    def indexes_of(self, pins: tuple[str, ...], request: ResolveRequest) -> Mapping[str, str]:
        """Return for each pinned requirement (`name==version`) the URL of the index that it comes from."""

    def export(self, request: ExportRequest) -> str:
        """Return a PEP 751 document (TOML text) of the engine's own lock, and write it to `output`; uses no network."""

    def create(self, venv: Path, interpreter: Interpreter, *, system_site_packages: bool, prompt: str) -> None:
        """Create an empty virtual environment (PEP 405) at `venv`, without pip."""

    def install(self, request: InstallRequest) -> None:
        """Install exactly the packages of the document, without resolving anything."""

    def install_again(self, requests: Mapping[str, InstallRequest]) -> None:
        """Remove the named packages from their venv, then install one after the other, each over what is there.

        The document of each request has only its package, which is installed. Afterwards, a file that several of them
        contain is that of the last one.
        """

    def compile(self, interpreter: Interpreter, modules: Sequence[Path]) -> None:
        """Write the bytecode (PEP 3147) of `modules`, absolute paths, for `interpreter`, without running them."""

    def collect_cache(self, keep: frozenset[CachedPackage]) -> None:
        """Delete from the engine's cache what it has for packages that are not in `keep`, and what it left there.

        The user's own cache stays as it is.
        """
