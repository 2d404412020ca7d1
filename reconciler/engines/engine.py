"""What a package tool must do for envsync: resolve, make a venv, install exactly what a lock selects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from reconciler.interpreters.model import Interpreter
from reconciler.manifest.desired import Index, LinkMode, Prerelease

Builds = Literal["allow", "deny"] | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveRequest:
    """What to resolve: lines in pip's requirements format, and the rules.

    `python_version` is the lower bound to resolve for; `preferences` an earlier lock (TOML text) whose pins are kept
    where they still fit; `exclude_newer` an RFC 3339 date; `upgrade` is True for all, or the names to move. Without
    `dependencies` only the requirements themselves are resolved.
    """

    requirements: tuple[str, ...]
    interpreter: Interpreter
    python_version: str
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    indexes: tuple[Index, ...] = ()
    exclude_newer: str | None = None
    prerelease: Prerelease = "if-necessary"
    builds: Builds = "allow"
    offline: bool = False
    preferences: str | None = None
    upgrade: bool | tuple[str, ...] = False
    dependencies: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallRequest:
    """What to install into the venv at `venv`: exactly the packages of the PEP 751 file at `pylock`."""

    venv: Path
    pylock: Path
    indexes: tuple[Index, ...] = ()
    link_mode: LinkMode | None = None
    compile_bytecode: bool = False
    builds: Builds = "allow"
    offline: bool = False
    refresh: tuple[str, ...] = ()


class Engine(Protocol):
    """A package tool behind the one subprocess seam; every method raises EngineError or one of its relatives."""

    def resolve(self, request: ResolveRequest) -> str:
        """Return a PEP 751 document (TOML text), hashes for everything from an index."""

    def indexes_of(self, pins: tuple[str, ...], request: ResolveRequest) -> Mapping[str, str]:
        """Return for each pinned requirement (`name==version`) the URL of the index that it comes from."""

    def create(self, venv: Path, interpreter: Interpreter, *, system_site_packages: bool, prompt: str) -> None:
        """Make an empty virtual environment (PEP 405) at `venv`, with no pip in it."""

    def install(self, request: InstallRequest) -> None:
        """Install exactly what the lock lists; no resolution takes place."""

    def compile(self, interpreter: Interpreter, modules: Sequence[Path]) -> None:
        """Write the bytecode (PEP 3147) of `modules`, absolute paths, for `interpreter`; none of them is run."""
