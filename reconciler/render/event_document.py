"""The models of apply's event stream, for its JSON Schema: one object a line, distinguished by `type`."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, Field, TypeAdapter

from reconciler.diff.model import ReasonCode
from reconciler.events import Status
from reconciler.plan.document import DRAFT, FORMAT_PATTERN, FailureDocument
from reconciler.plan.model import Action, StepKind
from reconciler.render.error_document import ErrorDocument


class EventDocument(BaseModel):
    """What every event contains."""

    format_version: str = Field(
        pattern=FORMAT_PATTERN, description="A minor version adds keys; a major one is incompatible."
    )


class RunStartedDocument(EventDocument):
    """The first event; `environments` are those that will be processed, in order."""

    type: Literal["run-started"]
    plan: str = Field(description="The plan's `id`.")
    project: str
    environments: list[str]


class StepStartedDocument(EventDocument):
    """A step began."""

    type: Literal["step-started"]
    environment: str
    step: StepKind


class StepFinishedDocument(EventDocument):
    """A step succeeded."""

    type: Literal["step-finished"]
    environment: str
    step: StepKind
    seconds: float = Field(ge=0, description="Wall time.")
    detail: str = Field(description="A short sentence; may be empty.")


class EnvironmentResultDocument(BaseModel):
    """How one environment ended."""

    environment: str
    status: Status
    action: Action
    reason: ReasonCode | Literal[""] = Field(
        default="", description="Why it is blocked, stable; empty if it is not. Format 1.0 does not have it."
    )
    generation: int = Field(ge=0, description="The published generation; 0 if none is published.")
    staged: int = Field(default=0, ge=0, description="The generation that was staged; 0 if none was.")
    seconds: float = Field(ge=0, description="Wall time.")
    failure: FailureDocument | None


class EnvironmentFinishedDocument(EventDocument, EnvironmentResultDocument):
    """One environment is finished."""

    type: Literal["environment-finished"]


class NoticeDocument(EventDocument):
    """A message that is not about a failure."""

    type: Literal["notice"]
    message: str
    environment: str = Field(description="The environment that it is about; may be empty.")


class RunFinishedDocument(EventDocument):
    """The last event of a run: its whole result, including unchanged environments."""

    type: Literal["run-finished"]
    environments: list[EnvironmentResultDocument]
    interrupted: bool
    failure: FailureDocument | None = Field(
        description="Why old generations could not be deleted after the apply; null if nothing failed."
    )
    exit_code: int


AnyEventDocument: TypeAlias = Annotated[
    RunStartedDocument
    | StepStartedDocument
    | StepFinishedDocument
    | EnvironmentFinishedDocument
    | NoticeDocument
    | RunFinishedDocument
    | ErrorDocument,
    Field(discriminator="type"),
]


def event_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one line of the event stream."""
    generated = TypeAdapter[AnyEventDocument](AnyEventDocument).json_schema(mode="serialization")
    definitions = generated.pop("$defs")
    generated.pop("discriminator")  # a keyword of OpenAPI, not of JSON Schema
    return {
        "$schema": DRAFT,
        "title": "envsync event",
        "description": "One line of `envsync apply --output json`. Minor versions only add keys.",
        **generated,
        "$defs": dict(sorted(definitions.items())),
    }
