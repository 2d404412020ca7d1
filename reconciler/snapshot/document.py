"""A snapshot's JSON: the models that validate a file, and the JSON Schema generated from them."""

from typing import Annotated, Any, Literal

from packaging.version import InvalidVersion, Version
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from reconciler.backticks import list_in_backticks
from reconciler.observe.actual import Depth, FindingCode, Occupant, OriginKind
from reconciler.snapshot.string_encoding import decode_string

FORMAT_VERSION = "1.0"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
_MAX_DEPTH = 16  # the settings of a manifest have four levels
_MAX_INTEGER = 2**53  # the largest integer that every JSON reader has exactly (RFC 7493)
_MARKERS = frozenset(
    {
        "implementation_name", "implementation_version", "os_name", "platform_machine",
        "platform_python_implementation", "platform_release", "platform_system", "platform_version",
        "python_full_version", "python_version", "sys_platform",
    }
)  # fmt: skip


def _version(text: str) -> str:
    try:
        Version(text)
    except InvalidVersion as error:
        raise ValueError("must be a PEP 440 version") from error
    return text


def _markers(markers: dict[str, str]) -> dict[str, str]:
    if missing := sorted(_MARKERS - markers.keys()):
        raise ValueError(f"missing: {list_in_backticks(missing)}")
    for name in ("python_version", "python_full_version"):
        _version(markers[name].removesuffix("+"))
    return markers


def _settings(settings: dict[str, JsonValue]) -> dict[str, JsonValue]:
    level: list[JsonValue] = list(settings.values())
    for _ in range(_MAX_DEPTH):
        level = [inner for each in level for inner in _members(each)]
    if level:
        raise ValueError(f"must have at most {_MAX_DEPTH} levels")
    return settings


def _members(value: JsonValue) -> list[JsonValue]:
    match value:
        case dict():
            return list(value.values())
        case list():
            return value
        case float() if value != value or value in (float("inf"), float("-inf")):
            raise ValueError("must be a finite number")
        case _:
            return []


# A path below an environment may contain any bytes, see `reconciler.snapshot.string_encoding`.
Text = Annotated[str, AfterValidator(decode_string)]
Name = Annotated[str, Field(pattern=r"^[^/\x00-\x1f]+$", max_length=255)]
PythonVersion = Annotated[str, AfterValidator(_version), Field(max_length=100)]
Generation = Annotated[int, Field(ge=0, le=_MAX_INTEGER)]


class Document(BaseModel):
    """A part of the snapshot's JSON. Unknown keys are ignored: a later minor version may add them."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class InterpreterDocument(Document):
    """A base interpreter of the host."""

    path: Annotated[Text, Field(pattern="^/", max_length=4096)]
    version: PythonVersion
    implementation: Text
    markers: Annotated[dict[str, str], AfterValidator(_markers)] = Field(
        description="The environment markers (PEP 508)."
    )
    tags: list[Annotated[str, Field(pattern=r"^[^-\s]+-[^-\s]+-\S+$")]] = Field(
        description="Compatible tags (PEP 425), the most specific first."
    )
    found: bool = Field(
        description="Whether a search found it; otherwise a generation uses it, or the manifest names its path."
    )


class OriginDocument(Document):
    """Where a distribution was installed from, by its own metadata (PEP 610)."""

    kind: OriginKind
    url: Text
    commit: Text
    vcs: Text
    hash: Text
    subdirectory: Text


class DistributionDocument(Document):
    """One installed distribution."""

    key: Text = Field(description="Normalized name.")
    name: Text
    version: Text
    origin: OriginDocument
    place: Text = Field(description="Its metadata directory, relative to the environment.")
    location: Text = Field(description="The directory of its modules.")
    installer: Text
    named_version: Text


class FindingDocument(Document):
    """One problem found on disk."""

    code: FindingCode
    path: Text
    package: Text
    detail: Text
    content: Text = Field(description="SHA-256 of the file on disk; empty if there is none.")


class ActualDocument(Document):
    """The actual state at one environment's path."""

    occupant: Occupant
    generation: Generation = Field(description="Number of the published generation; 0: none.")
    seal: Text
    python: Text
    home: Text
    system_site_packages: bool
    distributions: list[DistributionDocument]
    findings: list[FindingDocument]
    ignored: list[FindingDocument] = Field(default=[], description="Findings about files that `ignore_files` matches.")


class IndexFileDocument(Document):
    """A file from an index."""

    kind: Literal["index"]
    index: Text
    filename: Text
    sha256: Text


class ArchiveFileDocument(Document):
    """An archive at a URL or a path."""

    kind: Literal["archive"]
    location: Text
    sha256: Text
    subdirectory: Text = ""


class VcsCommitDocument(Document):
    """A commit in a version control repository."""

    kind: Literal["vcs"]
    vcs: Text
    url: Text
    commit: Text
    subdirectory: Text = ""


class SourceDirectoryDocument(Document):
    """A local directory."""

    kind: Literal["directory"]
    path: Text
    editable: bool
    content: Text


class PackageDocument(Document):
    """One package that was applied, as the lock names it."""

    name: Text
    version: Text | None
    source: Annotated[
        IndexFileDocument | ArchiveFileDocument | VcsCommitDocument | SourceDirectoryDocument,
        Field(discriminator="kind"),
    ]


class BuiltWithDocument(Document):
    """The interpreter that a generation was built with."""

    path: Text
    version: Text
    implementation: Text


class HoldDocument(Document):
    """Why applies leave an environment alone, by whom, and since when (UTC, RFC 3339)."""

    reason: Text
    by: Text
    since: Text


class OverlapDocument(Document):
    """Files that several packages contain."""

    packages: list[Text]
    installed: Text = Field(description="The package whose files are in the environment.")
    equal: bool = Field(description="Whether their contents are equal in all of the packages.")
    files: Annotated[int, Field(ge=1)]
    paths: list[Text] = Field(description="The first of the files, relative to the environment.")


class AppliedDocument(Document):
    """What was last applied to one environment."""

    project: str
    generation: Generation
    interpreter: BuiltWithDocument
    packages: list[PackageDocument]
    installed: dict[Text, Text] = Field(
        description="Version and origin of each distribution when it was sealed, by normalized name."
    )
    accepted: list[Text] = Field(description="Findings that existed when it was sealed.")
    settings: Annotated[dict[str, JsonValue], AfterValidator(_settings)] = Field(
        description="The applied settings; secrets are `****`."
    )
    prevent_destroy: bool
    seal: Text
    hooks_pending: bool
    hook_paths: list[Text] = Field(default=[], description="Files that its hooks changed, relative to the environment.")
    hook_packages: list[Text] = Field(default=[], description="Packages that its hooks changed.")
    rolled_back_from: Generation
    rebuilt_from: Generation = Field(
        default=0, description="The generation whose lock a rollback rebuilt it from; 0: an apply built it."
    )
    rolled_back_because: Text = Field(default="", description="Why the generation before the rollback failed.")
    trial_since: Text = Field(
        default="", description="When the trial of the published generation began; empty: it is not on trial."
    )
    manifest: Text = Field(
        default="", description="The other manifest of the project that applied it; empty: the one that was observed."
    )
    built_as: Text = Field(
        default="", description="The name that it had when its generation was built; empty: its present name."
    )
    overlaps: list[OverlapDocument] = Field(default=[], description="The files that several of its packages contain.")
    hold: HoldDocument | None = Field(default=None, description="Why applies leave it alone; null or absent: not held.")


class FaultDocument(Document):
    """Why the record or the seal of an environment could not be read."""

    code: Literal["state-unreadable", "newer-format"]
    message: Text
    hint: Text


class EnvironmentDocument(Document):
    """One environment: its actual state and its last applied state."""

    actual: ActualDocument
    applied: AppliedDocument | None = Field(description="null if envsync never applied it.")
    fault: FaultDocument | None = Field(
        default=None, description="Why its record or its seal could not be read; null or absent if they could."
    )


class SnapshotDocument(Document):
    """A host's environments at one moment. A minor format version adds keys; a major one is incompatible."""

    format_version: str = Field(pattern=r"^1\.[0-9]+$")
    envsync: str = Field(description="The version of envsync that wrote it.")
    project: str
    root: Annotated[Text, Field(pattern="^/", max_length=4096)]
    platform: str
    depth: Depth
    taken: str = Field(description="When it was taken, in UTC (RFC 3339).")
    selected: bool = Field(description="Whether only some environments were selected.")
    interpreters: list[InterpreterDocument]
    environments: dict[Name, EnvironmentDocument]


def snapshot_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a snapshot, generated from its models."""
    generated = SnapshotDocument.model_json_schema(mode="validation")
    definitions = generated.pop("$defs")
    titled = {"$schema": DRAFT, **generated, "title": "envsync snapshot"}
    return {**titled, "$defs": dict(sorted(definitions.items()))}
