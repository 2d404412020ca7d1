"""A plan as JSON, as `plan --output json` prints it: to JSON, from JSON, and its schema (docs/design.md, "Plan").

The types `Sentence` and `Sentences` mark the text for people. Nothing is decided by it, and it does not count when two
plans are compared (`plan_data`).
"""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from reconciler.canonical_json import Json, to_json
from reconciler.diff.model import Origin, PackageAction, ReasonCode
from reconciler.diff.source_change import SourceFlag
from reconciler.json_output import json_text, safe_json
from reconciler.observe.actual import Depth, FindingCode
from reconciler.plan.model import Action, EnvironmentPlan, Plan, StepKind

DRAFT = "https://json-schema.org/draft/2020-12/schema"
FORMAT_PATTERN = r"^1\.[0-9]+$"


class _Wording:
    """Marks a field whose value depends on words for people: a different version of envsync has different words."""


WORDING = _Wording()
Sentence: TypeAlias = Annotated[str, WORDING]
Sentences: TypeAlias = Annotated[list[str], WORDING]


class Document(BaseModel):
    """An immutable part of the plan's JSON."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class ReasonDocument(Document):
    """Why something changes, or must not change."""

    code: ReasonCode = Field(description="Stable.")
    origin: Origin = Field(description="Whether it is a pending change, drift, or both.")
    message: Sentence


class SourceDocument(Document):
    """How the source of a package in the lock changed."""

    before: list[str] = Field(description="Its hosts before: `https://HOST`, or `file:`.")
    after: list[str] = Field(description="Its hosts now.")
    review: list[SourceFlag] = Field(description="What changed although the version did not.")


class PackageDocument(Document):
    """One package's change."""

    name: str = Field(description="Normalized (PEP 503).")
    action: PackageAction
    origin: Origin
    reason: ReasonCode
    message: Sentence
    drift_reason: ReasonCode | None = Field(
        default=None,
        description="What was changed manually; null if nothing was (origin `pending`). Format 1.0 does not have it.",
    )
    before: str | None = Field(description="The installed version; null: absent, or unknown.")
    after: str | None = Field(description="The desired version; null: absent, or only known after a build.")
    files: list[str] = Field(description="The files to repair, relative to the environment.")
    source: SourceDocument | None = Field(
        default=None, description="How host, hash or publisher changed; null if they did not."
    )


class SettingDocument(Document):
    """One setting's change; null means absent."""

    path: list[str | int]
    before: JsonValue
    after: JsonValue


class FindingDocument(Document):
    """One problem found on disk."""

    code: FindingCode = Field(description="Stable.")
    path: str = Field(description="Relative to the environment; empty if it is about the whole environment.")
    package: str = Field(description="Normalized name; empty if it is not about a package.")
    detail: Sentence
    content: str = Field(description="SHA-256 of the file on disk; empty if there is none.")


class StepDocument(Document):
    """One step of apply."""

    id: str
    kind: StepKind
    environment: str
    after: list[str] = Field(description="The ids of the steps that must succeed first.")


class FailureDocument(Document):
    """Why something failed."""

    code: str = Field(description="Stable.")
    message: Sentence
    hint: Sentence = Field(description="What to do about it; may be empty.")
    details: Sentences = Field(description="The last lines that a child process printed.")


class HoldDocument(Document):
    """Why apply leaves an environment alone."""

    reason: str
    by: str = Field(description="The user who held it.")
    since: str = Field(description="When the hold began, in UTC (RFC 3339).")


class EnvironmentDocument(Document):
    """One environment's part of the plan."""

    name: str
    path: str
    action: Action
    renamed_from: str = Field(default="", description="The former name, if the environment is renamed.")
    reasons: list[ReasonDocument]
    blocked: list[ReasonDocument] = Field(description="Why apply refuses the change; empty if it does not.")
    prior: str = Field(description="Digest of the observed state.")
    desired: str = Field(description="Digest of the desired state; empty for a deletion.")
    python_before: str
    python_after: str
    packages: list[PackageDocument]
    settings: list[SettingDocument]
    findings: list[FindingDocument]
    steps: list[StepDocument] = Field(description="In order.")
    package_count: int = Field(ge=0)
    generation: int = Field(ge=0, description="Number of the published generation; 0: none.")
    staged: int = Field(
        default=0, ge=0, description="Number of the staged generation that is published instead of a new one; 0: none."
    )
    complete: bool = Field(description="Whether the packages are known.")
    hints: Sentences
    notes: Sentences = Field(default=[], description="Facts that do not count as a difference, for people.")
    failure: FailureDocument | None = Field(description="Why no lock could be made; null if nothing failed.")
    hold: HoldDocument | None = Field(
        default=None, description="Why apply leaves it alone, until `envsync release`; null if it is not held."
    )


class SummaryDocument(Document):
    """The number of environments by action; a blocked one only counts as blocked, one that is held as held."""

    create: int
    update: int
    replace: int
    delete: int
    adopt: int
    rename: int = 0
    blocked: int
    held: int = 0
    unchanged: int


class PolicyDocument(Document):
    """What the command line allowed beyond the manifest."""

    prune: bool = Field(description="Delete environments that the manifest no longer declares.")
    allow_empty: bool
    adopt: bool
    drop_ignored: bool
    take_over: bool = Field(
        default=False, description="Treat what another manifest of the project applied as this one's own."
    )
    skip_hooks: bool = Field(default=False, description="Run no hooks.")
    stage: bool = Field(default=False, description="Build new generations, but publish nothing.")
    destroy: list[str] = Field(description="Names to delete although the manifest declares them; sorted.")
    publish: list[str] = Field(
        default=[],
        description="The environments whose staged generation is published, sorted. If there are any, "
        "nothing else is planned.",
    )


class PlanRequestDocument(Document):
    """The selection and the policy. Names and labels are sorted; if both are empty, all environments are selected."""

    names: list[str]
    labels: list[tuple[str, str]] = Field(description="Pairs of key and value.")
    policy: PolicyDocument


class PlanDocument(Document):
    """What differs and what apply will do about it. A minor format version adds keys; a major one is incompatible."""

    format_version: str = Field(pattern=FORMAT_PATTERN)
    id: Annotated[str, WORDING] = Field(description="Digest of the plan.")
    project: str
    root: str
    depth: Depth
    against: str = Field(description="The git revision that was compared with; empty: the state on disk.")
    asked: PlanRequestDocument
    platform: str = Field(description="Operating system and processor on which the plan was made: `linux x86_64`.")
    only: Literal["", "drift", "pending"] = Field(description="The only differences shown; empty: all.")
    manifest: str = Field(description="Digest of the manifest.")
    locks: dict[str, str] = Field(description="Digests of the locks, by environment.")
    difference: bool = Field(description="Whether anything differs (exit code 2).")
    complete: bool = Field(description="Whether every package is known.")
    applyable: bool = Field(description="Whether the plan has changes that can be applied.")
    notes: Sentences = Field(default=[], description="What was left out, and why.")
    remarks: Sentences = Field(default=[], description="Facts about this machine to read before the plan is applied.")
    summary: SummaryDocument
    environments: list[EnvironmentDocument] = Field(description="Sorted by name, including unchanged ones.")


def plan_document(plan: Plan) -> PlanDocument:
    """Return a plan as its JSON document, with every string safe to print (`reconciler.json_output`)."""
    return PlanDocument.model_validate(
        safe_json(
            {
                "format_version": plan.format_version,
                "id": plan.id,
                "project": plan.project,
                "root": plan.root,
                "depth": to_json(plan.depth),
                "against": plan.against,
                "asked": to_json(plan.asked),
                "platform": plan.platform,
                "only": plan.only,
                "manifest": plan.manifest,
                "locks": dict(sorted(plan.locks.items())),
                "difference": plan.has_difference,
                "complete": plan.complete,
                "applyable": plan.applyable,
                "notes": list(plan.notes),
                "remarks": list(plan.remarks),
                "summary": to_json(plan.summary),
                "environments": [_environment(each) for each in plan.environments],
            }
        )
    )


def plan_json(plan: Plan) -> str:
    """Return a plan as ASCII JSON with a final line end; equal plans give equal bytes."""
    return document_json(plan_document(plan))


def document_json(document: PlanDocument) -> str:
    """Return the document of a plan as JSON, as `plan_json` does."""
    return json_text(document.model_dump(mode="json"), indent=2)


def plan_data(document: Document) -> dict[str, Json]:
    """Return a document without its sentences, as JSON: equal for two plans that do the same for the same reasons."""
    fields = type(document).model_fields.items()
    return {name: _data(getattr(document, name)) for name, field in fields if WORDING not in field.metadata}


def _data(value: object) -> Json:
    match value:
        case Document():
            return plan_data(value)
        case list():
            return [_data(each) for each in value]
        case _:
            return to_json(value)


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a plan."""
    generated = PlanDocument.model_json_schema(mode="serialization")
    definitions = generated.pop("$defs")
    titled = {"$schema": DRAFT, **generated, "title": "envsync plan"}
    return {**titled, "$defs": dict(sorted(definitions.items()))}


def _environment(environment: EnvironmentPlan) -> Any:
    """Return one environment's values without its target, which apply makes again each time."""
    names = EnvironmentDocument.model_fields
    return {name: to_json(getattr(environment, name)) for name in names}


def plan_from_document(document: PlanDocument) -> Plan:
    """Return the plan of a document, without targets, which a document does not contain."""
    plan: Plan = _from_document(Plan, document)
    return plan


def _from_document(annotation: Any, value: Any) -> Any:
    """Return a value of a document as the annotation of a plan's field requires: dataclass, tuple or frozen set.

    The items of a tuple have one type. The first type of a union is a dataclass (`Failure | None`) or a plain value.
    """
    if isinstance(annotation, type) and hasattr(annotation, "__dataclass_fields__"):
        hints = _hints(annotation)
        names = [each.name for each in fields(annotation) if each.name in type(value).model_fields]
        return annotation(**{name: _from_document(hints[name], getattr(value, name)) for name in names})
    arguments = get_args(annotation)
    match get_origin(annotation):
        case origin if origin in {tuple, frozenset}:
            return origin(_from_document(arguments[0], each) for each in value)
        case origin if origin in {Union, UnionType} and value is not None:
            return _from_document(arguments[0], value)
        case _:
            return value


@cache
def _hints(annotation: type) -> Mapping[str, Any]:
    return get_type_hints(annotation)
