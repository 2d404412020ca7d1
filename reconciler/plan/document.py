"""A plan as JSON (design, section 7): what `plan --output json` prints, and the schema of it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from reconciler.canonical_json import to_json
from reconciler.diff.model import Origin, PackageAction, ReasonCode
from reconciler.json_output import json_text, outgoing
from reconciler.observe.actual import Depth, FindingCode
from reconciler.plan.model import Action, EnvironmentPlan, Plan, StepKind

DRAFT = "https://json-schema.org/draft/2020-12/schema"
FORMAT_PATTERN = r"^1\.[0-9]+$"


class Document(BaseModel):
    """A part of the plan's JSON; it never changes once it is made."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class ReasonDocument(Document):
    """Why something changes, or may not."""

    code: ReasonCode = Field(description="Stable.")
    origin: Origin = Field(description="Whose hand: the manifest's or lock's (pending), somebody's (drift), or both.")
    message: str


class PackageDocument(Document):
    """One package's change."""

    name: str = Field(description="Normalized (PEP 503).")
    action: PackageAction
    origin: Origin
    reason: ReasonCode
    message: str
    before: str | None = Field(description="The version that is there; null: absent, or unknown.")
    after: str | None = Field(description="The version that will be; null: absent, or only a build would tell.")
    files: list[str] = Field(description="What a repair is about, relative to the environment.")


class SettingDocument(Document):
    """One setting's change; null stands for absent."""

    path: list[str | int]
    before: JsonValue
    after: JsonValue


class FindingDocument(Document):
    """One thing that is wrong with what is on disk."""

    code: FindingCode = Field(description="Stable.")
    path: str = Field(description="Relative to the environment; empty for the whole.")
    package: str = Field(description="Normalized name; empty for none.")
    detail: str
    content: str = Field(description="SHA-256 of the file that is there; empty where there is none.")


class StepDocument(Document):
    """One thing that apply would do."""

    id: str
    kind: StepKind
    environment: str
    after: list[str] = Field(description="The ids of the steps that must have succeeded before.")


class FailureDocument(Document):
    """Why something failed."""

    code: str = Field(description="Stable.")
    message: str
    hint: str = Field(description="What to do about it, may be empty.")
    details: list[str] = Field(description="A child's last lines.")


class EnvironmentDocument(Document):
    """One environment's part of the plan."""

    name: str
    path: str
    action: Action
    reasons: list[ReasonDocument]
    blocked: list[ReasonDocument] = Field(description="Why the change must not be made; empty: it may.")
    prior: str = Field(description="Digest of what was observed.")
    desired: str = Field(description="Digest of what is asked for; empty for a delete.")
    python_before: str
    python_after: str
    packages: list[PackageDocument]
    settings: list[SettingDocument]
    findings: list[FindingDocument]
    steps: list[StepDocument] = Field(description="In order.")
    package_count: int = Field(ge=0)
    generation: int = Field(ge=0, description="The one published now; 0: none.")
    complete: bool = Field(description="Whether the packages are known.")
    hints: list[str]
    failure: FailureDocument | None = Field(description="Why no lock could be made; null: nothing failed.")


class SummaryDocument(Document):
    """How many environments there are of each kind; a blocked one counts as blocked alone."""

    create: int
    update: int
    replace: int
    delete: int
    adopt: int
    blocked: int
    unchanged: int


class PolicyDocument(Document):
    """What the command line allowed beyond the manifest."""

    prune: bool = Field(description="Delete what the manifest no longer names.")
    allow_empty: bool
    adopt: bool
    drop_ignored: bool
    destroy: list[str] = Field(description="Names to delete although the manifest has them; sorted.")


class AskedDocument(Document):
    """What was asked for; names and labels are sorted, none of either select all."""

    names: list[str]
    labels: list[tuple[str, str]] = Field(description="Pairs of key and value.")
    policy: PolicyDocument


class PlanDocument(Document):
    """What differs and what apply would do about it. A minor format version adds keys, a major one breaks."""

    format_version: str = Field(pattern=FORMAT_PATTERN)
    id: str = Field(description="The plan's own digest.")
    project: str
    root: str
    depth: Depth
    against: str = Field(description="The git revision that it was compared with; empty: what is on disk.")
    asked: AskedDocument
    platform: str = Field(description="Operating system and processor that it was made on: `linux x86_64`.")
    only: Literal["", "drift", "pending"] = Field(description="The side that is told; empty: both.")
    manifest: str = Field(description="Digest of the manifest.")
    locks: dict[str, str] = Field(description="Digests of the locks, by environment.")
    difference: bool = Field(description="Whether anything differs: what exit code 2 says.")
    complete: bool = Field(description="Whether every package is known.")
    applyable: bool = Field(description="Whether there is something to do that nothing stands in the way of.")
    summary: SummaryDocument
    environments: list[EnvironmentDocument] = Field(description="By name, the unchanged ones included.")


def plan_document(plan: Plan) -> PlanDocument:
    """Return a plan as the values of its JSON, every string fit to leave (`reconciler.json_output`)."""
    return PlanDocument.model_validate(
        outgoing(
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
                "summary": to_json(plan.summary),
                "environments": [_environment(each) for each in plan.environments],
            }
        )
    )


def plan_json(plan: Plan) -> str:
    """Return a plan as JSON, ASCII, in the models' order, ending with a line end: the same plan is the same bytes."""
    return document_json(plan_document(plan))


def document_json(document: PlanDocument) -> str:
    """Return a plan's document as JSON, as `plan_json` does."""
    return json_text(document.model_dump(mode="json"), indent=2)


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a plan, generated from its models."""
    generated = PlanDocument.model_json_schema(mode="serialization")
    definitions = generated.pop("$defs")
    titled = {"$schema": DRAFT, **generated, "title": "envsync plan"}
    return {**titled, "$defs": dict(sorted(definitions.items()))}


def _environment(environment: EnvironmentPlan) -> Any:
    """Return an environment's part but for its target: that is what apply builds from, made anew each time."""
    names = EnvironmentDocument.model_fields
    return {name: to_json(getattr(environment, name)) for name in names}
