"""The manifest, version 1 (design, section 4): every key, its type, and the words that an editor shows for it.

Lists are tuples, and nothing is converted silently: text that YAML reads as a number is refused, not guessed at.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Discriminator, Field, PrivateAttr, Tag

from reconciler.manifest import desired
from reconciler.manifest import fields as f
from reconciler.manifest.hints import closest
from reconciler.manifest.source_text import SourceText


class _Entry(BaseModel):
    """What all mappings of a manifest have in common: no unknown keys, no conversions, no changes."""

    # The whole manifest's validator holds those of its parts: to build each part's own as well takes 50 ms of a start.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_by_alias=True, defer_build=True)


class Index(_Entry):
    """One package index; the first has the highest priority."""

    name: f.Name = Field(description="The index's name: used in messages and in UV_INDEX_<NAME>_USERNAME.")
    url: f.IndexUrl = Field(
        description="The URL of a simple repository (PEP 503 or 691), without credentials.",
        examples=["https://index.example/simple"],
    )
    packages: tuple[f.PackageGlob, ...] = Field(
        default=(),
        description="Packages that come from this index and from nowhere else; others never come from it.",
        examples=[["acme-*"]],
    )


class Project(_Entry):
    """A project that is itself installed, with the dependencies that its pyproject.toml declares (PEP 621, 735)."""

    path: f.ProjectPath = Field(default=".", description="Its directory, relative to the manifest.")
    editable: bool = Field(default=False, description="Whether its sources are used in place.")
    extras: tuple[f.ExtraName, ...] = Field(default=(), description="Extras to install with it.", examples=[["web"]])
    groups: tuple[f.ExtraName, ...] = Field(
        default=(), description="Dependency groups (PEP 735) to install with it.", examples=[["dev"]]
    )


class Matrix(_Entry):
    """One environment for each Python version, named after it: `test` with 3.12 becomes `test-py312`."""

    python: Annotated[tuple[f.MatrixPython, ...], Field(min_length=1)] = Field(
        description="The Python versions; each takes the place of `python`.", examples=[["3.11", "3.12", "3.13"]]
    )


class Hooks(_Entry):
    """Commands, each a list of program and arguments, that run in the environment."""

    after_publish: tuple[f.Argv, ...] = Field(
        default=(),
        description="Run after a new generation was published, at least once.",
        examples=[[["systemctl", "--user", "restart", "web"]]],
    )
    before_delete: tuple[f.Argv, ...] = Field(default=(), description="Run before the environment is deleted.")


class ImportProbe(_Entry):
    """Passes when a module can be imported."""

    module: f.Module = Field(alias="import", description="The module to import.", examples=["django"])
    timeout: f.Seconds = Field(default=60.0, description="How long it may take.", examples=["10s"])

    def desired(self) -> desired.Probe:
        """Return the probe as the desired state has it."""
        return desired.ImportProbe(module=self.module, timeout=self.timeout)


class CommandProbe(_Entry):
    """Passes when a command exits 0."""

    run: f.Argv = Field(
        description="The program and its arguments; the environment's own programs come first.",
        examples=[["python", "-m", "django", "--version"]],
    )
    timeout: f.Seconds = Field(default=60.0, description="How long it may take.", examples=["10s"])

    def desired(self) -> desired.Probe:
        """Return the probe as the desired state has it."""
        return desired.CommandProbe(argv=self.run, timeout=self.timeout)


def probe_kind(value: object) -> Literal["word", "module", "command"] | None:
    """Return which of the three probes a value is, or is likely meant to be; None where it could be any."""
    if isinstance(value, str):
        return "word"
    if not isinstance(value, dict):
        return None
    command = not value.keys().isdisjoint({"run", "cmd", "command"})
    module = any(key == "module" or closest(key, ("import",)) for key in value.keys() - {"timeout"})
    if command == module:
        return None
    return "command" if command else "module"


Probe: TypeAlias = Annotated[
    Annotated[Literal["dependencies"], Tag("word")]
    | Annotated[ImportProbe, Tag("module")]
    | Annotated[CommandProbe, Tag("command")],
    Discriminator(
        probe_kind,
        custom_error_type=f.EXPECTED,
        custom_error_message="{expected}",
        custom_error_context={"expected": "`dependencies`, {import: MODULE} or {run: [PROGRAM, ...]}"},
    ),
]


class Environment(_Entry):
    """One environment, or a template for some."""

    description: str = Field(default="", description="What it is for.")
    extends: f.Names = Field(
        default=(),
        description="Templates to start from. Later ones win; lists are joined, mappings merged.",
        examples=["base", ["base", "web"]],
    )
    labels: Mapping[f.Label, str] = Field(
        default={}, description="What `--label` selects by.", examples=[{"team": "platform"}]
    )
    python: f.Python | None = Field(
        default=None,
        description="A version, a version specifier (PEP 440), or the absolute path of an interpreter. Quote it.",
        examples=["3.12", ">=3.11,<3.14", "3.12.1"],
    )
    matrix: Matrix | None = Field(default=None, description="Make one environment for each Python version.")
    packages: tuple[f.RequirementText, ...] = Field(
        default=(), description="Requirements (PEP 508).", examples=[["django>=5.2,<6", "gunicorn"]]
    )
    requirements: tuple[f.FilePath, ...] = Field(
        default=(),
        description="Requirements files in pip's format, relative to the manifest.",
        examples=[["requirements/web.txt"]],
    )
    constraints: tuple[f.FilePath, ...] = Field(
        default=(),
        description="Constraints files in pip's format: versions for packages that something else asks for.",
        examples=[["constraints.txt"]],
    )
    overrides: tuple[f.RequirementText, ...] = Field(
        default=(),
        description="Requirements (PEP 508) that replace whatever any package says about the same name.",
        examples=[["urllib3>=2"]],
    )
    project: Project | None = Field(default=None, description="Install a local project too.")
    exclude_newer: f.ExcludeNewer | None = Field(
        default=None,
        description="Leave out what was uploaded later: a date, a time (RFC 3339), or an age such as `7 days`.",
        examples=["2026-11-01", "2026-11-01T12:00:00Z", "7 days"],
    )
    prerelease: desired.Prerelease = Field(
        default="if-necessary", description="When pre-releases may be chosen, as with uv."
    )
    builds: f.Builds = Field(
        default="allow",
        description="Whether source distributions may be built: `allow`, `deny`, or the packages that may.",
        examples=["deny", ["numpy"]],
    )
    system_site_packages: bool = Field(default=False, description="Let it see the interpreter's own packages.")
    ignore: tuple[f.PackageGlob, ...] = Field(
        default=(), description="Packages that somebody else looks after: no drift.", examples=[["acme-agent*"]]
    )
    ignore_files: tuple[f.FileGlob, ...] = Field(
        default=(), description="Files in it that may change: no drift.", examples=[["share/jupyter/**"]]
    )
    compile_bytecode: bool = Field(default=False, description="Compile every module when it is built.")
    link_mode: desired.LinkMode | None = Field(
        default=None, description="How files get in from the cache; default: clone if possible, else hard links."
    )
    keep_generations: int = Field(default=3, ge=1, description="How many generations `gc` keeps for a rollback.")
    env: Mapping[f.Variable, str] = Field(
        default={},
        description="Variables for `run`, probes and hooks.",
        examples=[{"DJANGO_SETTINGS_MODULE": "acme.settings"}],
    )
    probes: tuple[Probe, ...] = Field(
        default=(),
        description="Checks that a new generation must pass before it is published.",
        examples=[["dependencies", {"import": "django"}]],
    )
    hooks: Hooks | None = Field(default=None, description="Commands to run after publishing and before deleting.")
    depends_on: tuple[f.Name, ...] = Field(
        default=(), description="Environments that have to be applied before this one.", examples=[["tools"]]
    )
    prevent_destroy: bool = Field(default=False, description="Never delete it.")


class Manifest(_Entry):
    """The Python virtual environments of a machine, as envsync should keep them."""

    version: f.Version = Field(description="The version of this format.")
    project: f.ProjectId = Field(description="Who owns what this manifest creates.", examples=["acme"])
    root: f.Root = Field(
        default=".envs",
        description="The directory of the environments, relative to this file or absolute.",
        examples=[".envs", "/srv/acme/envs"],
    )
    locks: f.Locks = Field(default="locks", description="The directory of the locks, relative to this file.")
    cache: desired.CacheOwner = Field(
        default="own", description="Whether the root has a package cache of its own, or shares the user's."
    )
    indexes: tuple[Index, ...] = Field(
        default=(), description="Package indexes, highest priority first. Default: the tools' own (PyPI)."
    )
    templates: Mapping[f.Name, Environment] = Field(
        default={}, description="What environments may extend. Never built."
    )
    environments: Mapping[f.Name, Environment] = Field(default={}, description="The environments, by name.")

    _file: Path = PrivateAttr(default=Path("envs.yaml"))
    _source: SourceText = PrivateAttr(default=SourceText(file="envs.yaml", sha256="", lines=()))

    def model_post_init(self, context: Any, /) -> None:
        """Keep the file, and where everything in it stands, as `load_manifest` hands them in."""
        if context:
            self._file = context["file"]
            self._source = context["source"]

    @property
    def file(self) -> Path:
        """Return the file it was read from, as the user named it."""
        return self._file

    @property
    def source(self) -> SourceText:
        """Return its text, and where each key and value stands."""
        return self._source
