"""The desired state: what the manifest declares, with templates, matrix and files expanded.

Plain frozen values without pydantic: all text is parsed when these are made, and no later stage parses it again.
See docs/design.md, "Manifest".
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias

from reconciler.manifest import defaults

Prerelease: TypeAlias = Literal["disallow", "allow", "if-necessary", "explicit"]
# `symlink` is missing on purpose: an environment of links breaks when the cache is cleaned, and cannot be sealed.
LinkMode: TypeAlias = Literal["clone", "hardlink", "copy"]
LockTool: TypeAlias = Literal["uv", "poetry", "pdm", "pylock"]
OnFailure: TypeAlias = Literal["keep", "rollback"]
CacheOwner: TypeAlias = Literal["own", "user"]
Access: TypeAlias = Literal["private", "group", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """One package index (PEP 503 or 691) without credentials; `packages` are the name patterns pinned to it.

    `default` is the key as written; None if it was not written. `relative` is the directory as written if it is
    relative to the manifest (POSIX); `url` is then its `file:` URL on this machine. `file_hosts` are the other hosts
    (`HOST` or `HOST:PORT`) that its files may be on.
    """

    name: str
    url: str
    packages: tuple[str, ...] = ()
    default: bool | None = None
    relative: str = ""
    file_hosts: tuple[str, ...] = ()

    @property
    def replaces_default(self) -> bool:
        """Return whether the default index (PyPI) is not used because of this one."""
        return not self.packages if self.default is None else self.default


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementLine:
    """One requirement as PEP 508 text normalized by `packaging`, its source (`file:line:column`), and its hashes.

    `hashes` are `sha256:<hex>` of the allowed files (pip's `--hash`); empty means any file. A requirement for a local
    directory or archive has an absolute `path`, its `extras` and its `marker` (PEP 508, may be empty). Its `text` is
    only for display, with the path relative to the manifest. One that a project's pyproject.toml names (such as
    `[tool.uv.sources]`) has its normalized `name`. If only a build shows whether it is requested, it `replaces` the
    requirements of that name in the built metadata.
    """

    text: str
    source: str
    hashes: tuple[str, ...] = ()
    path: Path | None = None
    editable: bool = False
    extras: tuple[str, ...] = ()
    marker: str = ""
    name: str = ""
    replaces: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalProject:
    """A local project to install: its directory, and the requirements in its static metadata (PEP 621 and 735).

    `requirements` are the dependencies of the project, its chosen extras and groups. `static` is False if
    dependencies or version are only known after a build (`dynamic`, or no `[project]` table). `name` is empty if it is
    only known after a build. `path` is absolute without symbolic links; `relative` starts at the manifest's directory
    (POSIX).
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
class BuildEnv:
    """Variables for builds: those in the manifest by name, and those of the shell with their values (may be secrets).

    `hashes` are the digests of the values from the shell: only these may be recorded or shown. `unset` are the
    variables that are not set in the shell, with their places in the manifest (`file:line:column`); their digests are
    empty.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    from_env: Mapping[str, str] = field(default_factory=dict, repr=False)
    hashes: Mapping[str, str] = field(default_factory=dict)
    unset: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Return whether there are any variables."""
        return bool(self.variables or self.hashes)

    @property
    def recorded(self) -> dict[str, str]:
        """Return every variable with its value, or with the digest of a value from the shell."""
        return {**self.variables, **self.hashes}


@dataclass(frozen=True, slots=True, kw_only=True)
class Public:
    """What may be shown in clear: the names of variables of `env` and `build_env`, and whole commands (argv).

    All other values, and the arguments of all other commands, are masked. Each is sorted.
    """

    env: tuple[str, ...] = ()
    build_env: tuple[str, ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LockSource:
    """The lock of another tool that an environment's packages come from.

    `path` is absolute, in a directory without symbolic links. `relative` starts at the manifest's directory (POSIX).
    `sha256` (hexadecimal) is that of the file's bytes. `extras` and `groups` include those of the project.
    """

    path: Path
    relative: str
    tool: LockTool
    sha256: str
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProbe:
    """Passes if the built environment can import `module` within `timeout` seconds."""

    module: str
    timeout: float = defaults.PROBE_TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandProbe:
    """Passes if `argv`, run in the built environment, exits 0 within `timeout` seconds."""

    argv: tuple[str, ...]
    timeout: float = defaults.PROBE_TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class DependenciesProbe:
    """Passes if the requirements of every installed distribution are met, as in `pip check`."""

    timeout: float = defaults.PROBE_TIMEOUT_SECONDS


Probe: TypeAlias = ImportProbe | CommandProbe | DependenciesProbe


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """Commands (argv lists) to run after an environment is published and before it is deleted."""

    after_publish: tuple[tuple[str, ...], ...] = ()
    before_delete: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Passes if `argv` exits 0 within `seconds`; one attempt takes at most `timeout` seconds."""

    argv: tuple[str, ...]
    seconds: float = defaults.HEALTH_SECONDS
    timeout: float = defaults.HEALTH_TIMEOUT_SECONDS
    otherwise: OnFailure = defaults.HEALTH_OTHERWISE


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreException:
    """An entry of `key` (`ignore` or `ignore_files`) that has a reason or a last day.

    `until` is a date in UTC (empty: no end), through the end of which the pattern `match` counts. `place` is
    `file:line:column`.
    """

    key: Literal["ignore", "ignore_files"]
    match: str
    reason: str = ""
    until: str = ""
    place: str = ""
    expired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredEnvironment:
    """The desired state of one environment.

    `python` is the request as written: a version (`3.12`), a PEP 440 specifier set, or an absolute path.
    `builds` is "allow", "deny" or the normalized names of packages that may be built. `place` is the
    `file:line:column` of its key in the manifest, `python_place` that of the request. `ignore` and `ignore_files` are
    the plain patterns, `exceptions` the entries of both with a reason or a last day; `ignored_packages` and
    `ignored_files` are all patterns that count today. An `optional` environment is left out while no interpreter
    satisfies the request and nothing was applied. `on_failure` is what to do if a hook fails after a publish.
    `indexes` are the names of the manifest's indexes that it uses; empty means all.
    If its packages come from `lock`, it has no requirements. `local_names` are packages that
    must not come from an index (`[tool.uv.workspace]` and other local sources).
    `renamed_from` is its former name, empty if it has none. `access` is that of the manifest; None if the mode of the
    root decides.
    """

    name: str
    python: str
    renamed_from: str = ""
    access: Access | None = None
    place: str = ""
    python_place: str = ""
    optional: bool = False
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    requirements: tuple[RequirementLine, ...] = ()
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    project: LocalProject | None = None
    indexes: tuple[str, ...] = ()
    local_names: tuple[str, ...] = ()
    lock: LockSource | None = None
    exclude_newer: str | None = None
    prerelease: Prerelease = defaults.PRERELEASE
    builds: Literal["allow", "deny"] | tuple[str, ...] = defaults.BUILDS
    build_env: BuildEnv = BuildEnv()
    system_site_packages: bool = defaults.SYSTEM_SITE_PACKAGES
    ignore: tuple[str, ...] = ()
    ignore_files: tuple[str, ...] = ()
    exceptions: tuple[IgnoreException, ...] = ()
    compile_bytecode: bool = defaults.COMPILE_BYTECODE
    link_mode: LinkMode | None = None
    keep_generations: int = defaults.KEEP_GENERATIONS
    env: Mapping[str, str] = field(default_factory=dict)
    public: Public = Public()
    probes: tuple[Probe, ...] = ()
    hooks: Hooks = Hooks()
    on_failure: OnFailure = defaults.HOOKS_ON_FAILURE
    health: Health | None = None
    depends_on: tuple[str, ...] = ()
    prevent_destroy: bool = defaults.PREVENT_DESTROY

    @property
    def on_trial(self) -> bool:
        """Return whether a new generation is on trial after it is published."""
        return self.health is not None or (self.on_failure == "rollback" and bool(self.hooks.after_publish))

    @property
    def ignored_packages(self) -> tuple[str, ...]:
        """Return the patterns of package names that count today."""
        return (*self.ignore, *(each.match for each in self.exceptions if each.key == "ignore" and not each.expired))

    @property
    def ignored_files(self) -> tuple[str, ...]:
        """Return the patterns of files that count today."""
        counting = (each.match for each in self.exceptions if each.key == "ignore_files" and not each.expired)
        return (*self.ignore_files, *counting)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class InputFile:
    """A file that the desired state was read from, and the SHA-256 of its bytes (hexadecimal; empty if missing).

    For a directory that was listed it is the SHA-256 of the names in it.
    """

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredState:
    """The desired state of everything that one manifest declares.

    `environments` are the selected ones, sorted by name. `declared` are the names of all environments, selected or
    not. `selected` is True if the user made a selection; nothing outside it may then be deleted. `file` is as the user
    named it; `root` and `locks` are absolute. `keep_deleted` is an age as written. `inputs` are all files that it was
    made from, sorted by path. `allow_paths` are as written: `reach_of_state` says which files may be read.
    """

    project: str
    file: Path
    root: Path
    locks: Path
    digest: str
    cache: CacheOwner = defaults.CACHE
    keep_deleted: str = defaults.KEEP_DELETED
    access: Access | None = None
    indexes: tuple[Index, ...] = ()
    environments: tuple[DesiredEnvironment, ...] = ()
    declared: frozenset[str] = frozenset()
    selected: bool = False
    inputs: tuple[InputFile, ...] = ()
    allow_paths: tuple[str, ...] = ()

    def only(self, names: Collection[str]) -> "DesiredState":
        """Return the same state without the environments that are not in `names`; they are still declared."""
        return replace(self, environments=tuple(each for each in self.environments if each.name in names))
