"""The manifest, version 1 (docs/design.md, "Manifest"): every key with its type, default and description.

The JSON Schema for editors is generated from these models. Lists are tuples. Nothing is converted silently: a number
where text is expected is an error.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Discriminator, Field, PrivateAttr, Tag

from reconciler.manifest import defaults, desired
from reconciler.manifest import field_types as f
from reconciler.manifest.hints import closest_match
from reconciler.manifest.names import AXIS_PATTERN
from reconciler.manifest.source_text import SourceText


class _StrictModel(BaseModel):
    """The base of every mapping in a manifest: no unknown keys, no conversions, immutable."""

    # The validator of Manifest contains those of its parts. Building a separate one for each part takes 50 ms.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_by_alias=True, defer_build=True)


class Index(_StrictModel):
    """One package index; the first has the highest priority."""

    name: f.Name = Field(
        description="The name of the index, used in messages and in `UV_INDEX_<NAME>_USERNAME`.", examples=["acme"]
    )
    url: f.IndexUrl = Field(
        description="The URL of a simple repository (PEP 503 or 691), without credentials; or a directory of wheels "
        "and source distributions, relative to the manifest (`./wheels`) or as a `file:` URL.",
        examples=["https://index.example/simple", "./wheels"],
    )
    packages: tuple[f.PackageGlob, ...] = Field(
        default=(),
        description="Patterns of package names. These packages come only from this index, and this index is asked for "
        "nothing else.",
        examples=[["acme-*"]],
    )
    default: bool | None = Field(
        default=None,
        description="Whether this index replaces the default index (PyPI), which is otherwise asked last. By default, "
        "an index without `packages` replaces it, and an index with `packages` does not.",
        examples=[False],
    )
    file_hosts: tuple[f.FileHost, ...] = Field(
        default=(),
        description="Other hosts that the index serves files from, or redirects to: `HOST` or `HOST:PORT`. A lock with "
        "a file on any host but these and that of `url` is refused.",
        examples=[["files.index.example"]],
    )


class Project(_StrictModel):
    """A local project to install, with the dependencies that its pyproject.toml declares (PEP 621 and 735)."""

    path: f.ProjectPath = Field(
        default=defaults.PROJECT_PATH,
        description="The project's directory, relative to the manifest.",
        examples=["services/web"],
    )
    editable: bool = Field(
        default=defaults.PROJECT_EDITABLE,
        description="Install in editable mode: the environment uses the source files in place.",
    )
    extras: tuple[f.ExtraName, ...] = Field(
        default=(), description="Extras of the project to install.", examples=[["web"]]
    )
    groups: tuple[f.ExtraName, ...] = Field(
        default=(), description="Dependency groups (PEP 735) of the project to install.", examples=[["dev"]]
    )


class LockSource(_StrictModel):
    """The lock of another tool: the environment gets exactly its packages. It replaces the lock of a template."""

    inherited_as_one: ClassVar[bool] = True  # the groups of one lock must not be looked for in a different one

    file: f.LockSourcePath = Field(
        alias="from",
        description="A `uv.lock`, `poetry.lock`, `pdm.lock`, `pylock.toml` or `pylock.NAME.toml`, relative to the "
        "manifest.",
        examples=["uv.lock"],
    )
    extras: tuple[f.ExtraName, ...] = Field(
        default=(),
        description="Extras to select from the lock, in addition to those of `project`.",
        examples=[["web"]],
    )
    groups: tuple[f.ExtraName, ...] = Field(
        default=(),
        description="Dependency groups to select from the lock, in addition to those of `project`.",
        examples=[["dev"]],
    )


class Matrix(_StrictModel):
    """Create one environment for each combination of the axes' values; `test` with Python 3.12 becomes `test-py312`.

    Any key other than these is an axis: a list of values, or a mapping of named variants. A variant has keys of an
    environment, which are merged into it.
    """

    model_config = ConfigDict(extra="allow", json_schema_extra={"propertyNames": {"pattern": AXIS_PATTERN}})
    __pydantic_extra__: dict[str, "Axis"]

    python: Annotated[tuple[f.MatrixPython, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="Python versions. Each replaces `python` in its environments.",
        examples=[["3.11", "3.12", "3.13"]],
    )
    exclude: tuple[Mapping[f.AxisName, str], ...] = Field(
        default=(),
        description="Combinations to leave out. An entry leaves out every combination that has all of its values.",
        examples=[[{"python": "3.13", "django": "4.2"}]],
    )
    if_available: bool = Field(
        default=defaults.MATRIX_IF_AVAILABLE,
        description="Skip an environment, with a note, while the machine has no interpreter for it. An environment "
        "that was applied is not skipped.",
    )


def axis_kind(value: object) -> Literal["list of values", "mapping of variants"] | None:
    """Return which form an axis of a matrix has, None if it has neither."""
    return "list of values" if isinstance(value, tuple) else "mapping of variants" if isinstance(value, dict) else None


def _without_variant_keys(schema: dict[str, Any]) -> None:
    schema["not"] = {"anyOf": [{"required": [key]} for key in NOT_IN_A_VARIANT]}


NOT_IN_A_VARIANT = ("extends", "matrix", "renamed_from")  # these keys decide which environments exist
_Variant: TypeAlias = Annotated["Environment", Field(json_schema_extra=_without_variant_keys)]
_Values: TypeAlias = Annotated[tuple[f.AxisValue, ...], Field(min_length=1)]
_Variants: TypeAlias = Annotated[Mapping[f.Name, _Variant], Field(min_length=1)]
Axis: TypeAlias = Annotated[
    Annotated[_Values, Tag("list of values")] | Annotated[_Variants, Tag("mapping of variants")],
    Discriminator(
        axis_kind,
        custom_error_type=f.WRONG_TYPE,
        custom_error_message="{expected}",
        custom_error_context={"expected": "a list of values or a mapping of variants"},
    ),
]


_Public: TypeAlias = Annotated[
    bool,
    Field(
        description="Whether plans and messages may show the arguments. By default they show the program and `****`, "
        "because an argument may be a secret."
    ),
]


class PublicCommand(_StrictModel):
    """A command whose arguments plans and messages may show."""

    run: f.Argv = Field(
        description="The program and its arguments.", examples=[["systemctl", "--user", "restart", "web"]]
    )
    public: _Public = defaults.PUBLIC


def hook_kind(value: object) -> Literal["list of words", "command with options"]:
    """Return which form a hook has; anything but a mapping must be a list."""
    return "command with options" if isinstance(value, dict | PublicCommand) else "list of words"


_Hook: TypeAlias = Annotated[
    Annotated[f.Argv, Tag("list of words")] | Annotated[PublicCommand, Tag("command with options")],
    Discriminator(hook_kind),
]


class Hooks(_StrictModel):
    """Commands to run in the environment, each a list of program and arguments, or `{run: [...], public: true}`."""

    after_publish: tuple[_Hook, ...] = Field(
        default=(),
        description="Commands to run at least once after a new generation is published.",
        examples=[[["systemctl", "--user", "restart", "web"]]],
    )
    before_delete: tuple[_Hook, ...] = Field(
        default=(),
        description="Commands to run before the environment is deleted.",
        examples=[[["systemctl", "--user", "stop", "web"]]],
    )

    on_failure: desired.OnFailure = Field(
        default=defaults.HOOKS_ON_FAILURE,
        description="What to do if a command of `after_publish` fails: `keep` the new generation, or `rollback` to the "
        "previous one.",
        examples=["rollback"],
    )


class Health(_StrictModel):
    """A command that must succeed after publishing. An environment's check replaces its template's."""

    inherited_as_one: ClassVar[bool] = True  # the words of two commands must not be joined

    run: f.Argv = Field(
        description="The program and its arguments, run again and again until it exits 0.",
        examples=[["curl", "-f", "http://127.0.0.1:8000/health"]],
    )
    seconds: f.Seconds = Field(
        alias="for",
        default=defaults.HEALTH_SECONDS,
        description="How long to try; a number is in seconds.",
        examples=["10m"],
    )
    timeout: f.Seconds = Field(
        default=defaults.HEALTH_TIMEOUT_SECONDS,
        description="Maximum duration of one attempt; a number is in seconds.",
        examples=["10s"],
    )
    otherwise: desired.OnFailure = Field(
        default=defaults.HEALTH_OTHERWISE,
        description="What to do if the check does not succeed in time: `rollback` to the previous generation, or "
        "`keep` the new one, and check again at the next apply.",
        examples=["keep"],
    )
    public: _Public = defaults.PUBLIC

    def desired(self) -> desired.Health:
        """Return the check as a value of the desired state."""
        return desired.Health(argv=self.run, seconds=self.seconds, timeout=self.timeout, otherwise=self.otherwise)


class ImportProbe(_StrictModel):
    """Passes if a module can be imported."""

    module: f.Module = Field(alias="import", description="The module to import.", examples=["django"])
    timeout: f.Seconds = Field(
        default=defaults.PROBE_TIMEOUT_SECONDS,
        description="Maximum duration; a number is in seconds.",
        examples=["10s"],
    )

    def desired(self) -> desired.Probe:
        """Return the probe as a value of the desired state."""
        return desired.ImportProbe(module=self.module, timeout=self.timeout)


class CommandProbe(_StrictModel):
    """Passes if a command exits 0."""

    run: f.Argv = Field(
        description="The program and its arguments. The environment's own programs are found first.",
        examples=[["python", "-m", "django", "--version"]],
    )
    timeout: f.Seconds = Field(
        default=defaults.PROBE_TIMEOUT_SECONDS,
        description="Maximum duration; a number is in seconds.",
        examples=["10s"],
    )
    public: _Public = defaults.PUBLIC

    def desired(self) -> desired.Probe:
        """Return the probe as a value of the desired state."""
        return desired.CommandProbe(argv=self.run, timeout=self.timeout)


def probe_kind(value: object) -> Literal["word", "module", "command"] | None:
    """Return which of the three probes a value is or most likely should be, or None if it could be any."""
    if isinstance(value, str):
        return "word"
    if not isinstance(value, dict):
        return None
    command = not value.keys().isdisjoint({"run", "cmd", "command"})
    module = any(key == "module" or closest_match(key, ("import",)) for key in value.keys() - {"timeout"})
    if command == module:
        return None
    return "command" if command else "module"


Probe: TypeAlias = Annotated[
    Annotated[Literal["dependencies"], Tag("word")]
    | Annotated[ImportProbe, Tag("module")]
    | Annotated[CommandProbe, Tag("command")],
    Discriminator(
        probe_kind,
        custom_error_type=f.WRONG_TYPE,
        custom_error_message="{expected}",
        custom_error_context={"expected": "`dependencies`, `{import: MODULE}` or `{run: [PROGRAM, ...]}`"},
    ),
]


_Reason: TypeAlias = Annotated[str, Field(description="Why it is ignored, for people.", examples=["see INC-42"])]
_Until: TypeAlias = Annotated[
    f.Date | None,
    Field(
        description="The last day (UTC) on which the pattern counts. Afterwards it is reported as expired.",
        examples=["2026-12-31"],
    ),
]


class PackageException(_StrictModel):
    """A pattern of package names to ignore, with the reason and the last day on which it counts."""

    match: f.PackageGlob = Field(description="The pattern of package names.", examples=["acme-agent*"])
    reason: _Reason = ""
    until: _Until = None


class FileException(_StrictModel):
    """A pattern of files to ignore, with the reason and the last day on which it counts."""

    match: f.FileGlob = Field(description="The pattern of files.", examples=["share/jupyter/**"])
    reason: _Reason = ""
    until: _Until = None


def exception_kind(value: object) -> Literal["pattern", "exception"] | None:
    """Return which form an entry of `ignore` or `ignore_files` has, None if it has neither."""
    return "pattern" if isinstance(value, str) else "exception" if isinstance(value, dict) else None


_EXCEPTION_KIND = Discriminator(
    exception_kind,
    custom_error_type=f.WRONG_TYPE,
    custom_error_message="{expected}",
    custom_error_context={"expected": "a pattern or {match: PATTERN, reason: TEXT, until: DATE}"},
)
IgnoredPackage: TypeAlias = Annotated[
    Annotated[f.PackageGlob, Tag("pattern")] | Annotated[PackageException, Tag("exception")], _EXCEPTION_KIND
]
IgnoredFile: TypeAlias = Annotated[
    Annotated[f.FileGlob, Tag("pattern")] | Annotated[FileException, Tag("exception")], _EXCEPTION_KIND
]


class Environment(_StrictModel):
    """One environment, or a template for several."""

    description: str = Field(
        default="", description="A text for people: the purpose of the environment.", examples=["the public web site"]
    )
    renamed_from: f.Name | None = Field(
        default=None,
        description="The former name of this environment. `apply` renames it without a rebuild and keeps its "
        "generations. Afterwards the key has no effect. It is not allowed in a template or with a matrix.",
        examples=["shop"],
    )
    extends: f.Names = Field(
        default=(),
        description="Templates to inherit from. Lists are joined, mappings merged; of other values the last wins.",
        examples=["base", ["base", "web"]],
    )
    labels: Mapping[f.Label, str] = Field(
        default={}, description="Labels for `--label`, to select environments.", examples=[{"team": "platform"}]
    )
    python: f.Python | None = Field(
        default=None,
        description="A version, a version specifier (PEP 440), or the absolute path of an interpreter; quote it. "
        "`3.13t` is a build without the global interpreter lock. Every environment needs one, from itself, a template "
        "or a matrix.",
        examples=["3.12", ">=3.11,<3.14", "3.12.1", "3.14t"],
    )
    matrix: Matrix | None = Field(
        default=None,
        description="Create one environment for each Python version, or for each combination of several axes.",
        examples=[
            {"python": ["3.11", "3.12", "3.13"]},
            {"django": ["4.2", "5.2"], "variant": {"cpu": {}, "gpu": {"packages": ["nvidia-ml-py"]}}},
        ],
    )
    packages: tuple[f.PackageText, ...] = Field(
        default=(),
        description="Requirements to install (PEP 508). With a matrix, `{AXIS}` is the value of an axis.",
        examples=[["django>=5.2,<6", "gunicorn"]],
    )
    requirements: tuple[f.FilePath, ...] = Field(
        default=(),
        description="Requirements files in pip's format, relative to the manifest.",
        examples=[["requirements/web.txt"]],
    )
    constraints: tuple[f.FilePath, ...] = Field(
        default=(),
        description="Constraints files in pip's format: they limit versions, and install nothing themselves.",
        examples=[["constraints.txt"]],
    )
    overrides: tuple[f.RequirementText, ...] = Field(
        default=(),
        description="Requirements (PEP 508) that replace every other requirement for the same package.",
        examples=[["urllib3>=2"]],
    )
    project: Project | None = Field(
        default=None, description="A local project to install.", examples=[{"path": ".", "editable": True}]
    )
    indexes: tuple[f.Name, ...] = Field(
        default=(),
        description="The names of the indexes to use. By default: all indexes of the manifest.",
        examples=[["pytorch-cpu"]],
    )
    lock: LockSource | None = Field(
        default=None,
        description="The lock of another tool to take the packages from. Nothing is resolved then, and `packages`, "
        "`requirements`, `constraints`, `overrides`, `exclude_newer` and `prerelease` are not allowed.",
        examples=[{"from": "uv.lock"}],
    )
    exclude_newer: f.ExcludeNewer | None = Field(
        default=None,
        description="Ignore files uploaded after a date, after a time (RFC 3339), or within an age such as `7 days`.",
        examples=["2026-11-01", "2026-11-01T12:00:00Z", "7 days"],
    )
    prerelease: desired.Prerelease = Field(
        default=defaults.PRERELEASE,
        description="When to allow pre-releases, as in uv's `--prerelease`.",
        examples=["allow"],
    )
    builds: f.Builds = Field(
        default=defaults.BUILDS,
        description="Whether to build source distributions: `allow`, `deny`, or a list of the packages to build.",
        examples=["deny", ["numpy"]],
    )
    build_env: f.BuildEnv = Field(
        default={},
        description="Environment variables for builds of source distributions and local projects. `from_env` lists "
        "variables to take from the shell. A change of a value builds the environment again. If a variable is not set, "
        "only this environment is blocked. `public` lists variables whose values may be shown, as in `env`.",
        examples=[{"CMAKE_ARGS": "-DGGML_CUDA=on", "from_env": ["SETUPTOOLS_SCM_PRETEND_VERSION"]}],
    )
    system_site_packages: bool = Field(
        default=defaults.SYSTEM_SITE_PACKAGES, description="Let the environment import the interpreter's own packages."
    )
    ignore: tuple[IgnoredPackage, ...] = Field(
        default=(),
        description="Patterns of package names to ignore: changes to these packages are not drift. "
        "`{match, reason, until}` says why and how long.",
        examples=[["acme-agent*", {"match": "debugpy", "reason": "INC-42", "until": "2026-12-31"}]],
    )
    ignore_files: tuple[IgnoredFile, ...] = Field(
        default=(),
        description="Patterns of files in the environment to ignore: changes to these files are not drift, and a "
        "rebuild keeps them. `{match, reason, until}` says why and how long.",
        examples=[["share/jupyter/**"]],
    )
    compile_bytecode: bool = Field(
        default=defaults.COMPILE_BYTECODE, description="Compile every module to bytecode when the environment is built."
    )
    link_mode: desired.LinkMode | None = Field(
        default=None,
        description="How to install files from the cache. By default: hard links, or copies if they are not possible.",
        examples=["copy"],
    )
    keep_generations: int = Field(
        default=defaults.KEEP_GENERATIONS,
        ge=1,
        description="How many generations `gc` keeps for a rollback, the published one included.",
        examples=[5],
    )
    env: f.Env = Field(
        default={},
        description="Environment variables for `envsync run`, probes and hooks. Plans, snapshots and messages do not "
        "show their values, except of the variables that `public` lists.",
        examples=[{"DJANGO_SETTINGS_MODULE": "acme.settings", "public": ["DJANGO_SETTINGS_MODULE"]}],
    )
    probes: tuple[Probe, ...] = Field(
        default=(),
        description="Checks that a new generation must pass before it is published.",
        examples=[["dependencies", {"import": "django"}]],
    )
    hooks: Hooks | None = Field(
        default=None,
        description="Commands to run after publishing and before deleting the environment.",
        examples=[{"after_publish": [["systemctl", "--user", "restart", "web"]]}],
    )
    health: Health | None = Field(
        default=None,
        description="A check that runs after a new generation is published. The generation is on trial until it "
        "passes. A change of settings alone publishes nothing, so it does not run the check.",
        examples=[{"run": ["curl", "-f", "http://127.0.0.1:8000/health"], "for": "10m", "otherwise": "rollback"}],
    )
    depends_on: tuple[f.Name, ...] = Field(
        default=(), description="Environments to apply before this one.", examples=[["tools"]]
    )
    prevent_destroy: bool = Field(default=defaults.PREVENT_DESTROY, description="Refuse to delete the environment.")


class Manifest(_StrictModel):
    """The Python virtual environments that envsync keeps on a machine."""

    version: f.Version = Field(description="The version of the manifest format.")
    project: f.ProjectId = Field(
        description="A name for this manifest; it marks everything that envsync creates from it.", examples=["acme"]
    )
    root: f.Root = Field(
        default=defaults.ROOT,
        description="The directory of the environments, relative to the manifest or absolute.",
        examples=[".envs", "/srv/acme/envs"],
    )
    locks: f.Locks = Field(
        default=defaults.LOCKS,
        description="The directory of the lock files, relative to the manifest.",
        examples=["deploy/locks"],
    )
    allow_paths: tuple[f.AllowedPath, ...] = Field(
        default=(),
        description="Directories outside the repository, or without one outside the manifest's directory, that the "
        "manifest may name files and projects in: relative to the manifest or absolute. Errors never show lines of "
        "these files.",
        examples=[["../shared"], ["/srv/acme/requirements"]],
    )
    cache: desired.CacheOwner = Field(
        default=defaults.CACHE,
        description="Which package cache to use: `own` for one inside the root, `user` for the user's shared uv cache.",
        examples=["user"],
    )
    access: desired.Access | None = Field(
        default=None,
        description="Who may read the environments: only the owner of the root (`private`), also its group (`group`), "
        "or everyone (`all`). The key sets the mode of the root. By default, the mode of the root decides.",
        examples=["group"],
    )
    keep_deleted: f.Age = Field(
        default=defaults.KEEP_DELETED,
        description="How long `envsync rollback NAME` can restore an environment that was deleted; `0`: not at all.",
        examples=["30 days", "12 hours", 0],
    )
    indexes: tuple[Index, ...] = Field(
        default=(),
        description="Package indexes, highest priority first. By default: the index that uv uses (PyPI).",
        examples=[[{"name": "acme", "url": "https://index.example/simple", "packages": ["acme-*"]}]],
    )
    templates: Mapping[f.Name, Environment] = Field(
        default={},
        description="Templates for environments to extend, by name. They are never built.",
        examples=[{"base": {"python": ">=3.11", "probes": ["dependencies"]}}],
    )
    environments: Mapping[f.Name, Environment] = Field(
        default={},
        description="The environments, by name.",
        examples=[{"web": {"extends": "base", "packages": ["flask>=3,<4"]}}],
    )

    _file: Path = PrivateAttr(default=Path("envs.yaml"))
    _source: SourceText = PrivateAttr(default=SourceText(file="envs.yaml", sha256="", lines=()))

    def model_post_init(self, context: Any, /) -> None:
        """Keep the file and the source text, which `load_manifest` passes as the validation context."""
        if context:
            self._file = context["file"]
            self._source = context["source"]

    @property
    def file(self) -> Path:
        """Return the file that the manifest was read from, as the user named it."""
        return self._file

    @property
    def source(self) -> SourceText:
        """Return the manifest's text, with the place of each key and value."""
        return self._source
