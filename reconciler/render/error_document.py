"""An error as JSON. Every command with JSON output prints it if the command fails before it has a result."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from reconciler.errors import EnvsyncError, ManifestError, Problem
from reconciler.json_output import json_text, safe_json
from reconciler.plan.document import DRAFT, FORMAT_PATTERN, FailureDocument
from reconciler.plan.model import FORMAT_VERSION
from reconciler.render.manifest_option import with_manifest_option


class PlaceDocument(BaseModel):
    """A place in a text file."""

    file: str
    line: int = Field(ge=1)
    column: int = Field(ge=1, description="In characters, from 1.")


class ProblemDocument(BaseModel):
    """One error in the manifest, or in a file that the manifest names."""

    message: str
    path: str = Field(
        description="The key path, such as `environments.web.packages[1]`; for a whole file, the file's path."
    )
    place: PlaceDocument | None
    hint: str = Field(description="What to do about it; may be empty.")


class RefusalDocument(FailureDocument):
    """Why a command failed."""

    problems: list[ProblemDocument] = Field(description="All errors of a manifest, in order; empty for other errors.")


class ErrorDocument(BaseModel):
    """An error that ended a command before it had a result; in the stream of `apply` it is the last line."""

    format_version: str = Field(
        pattern=FORMAT_PATTERN, description="A minor version adds keys; a major one is incompatible."
    )
    type: Literal["error"]
    exit_code: int
    error: RefusalDocument


def error_document(error: EnvsyncError) -> ErrorDocument:
    """Return an error as a JSON document with redacted strings (`reconciler.json_output`)."""
    problems = error.problems if isinstance(error, ManifestError) else ()
    return ErrorDocument.model_validate(
        safe_json(
            {
                "format_version": FORMAT_VERSION,
                "type": "error",
                "exit_code": error.exit_code,
                "error": {
                    "code": error.code,
                    "message": error.message,
                    "hint": error.hint or "",
                    "details": list(error.details),
                    "problems": [_problem(each) for each in problems],
                },
            },
            sentence=with_manifest_option,
        )
    )


def error_json(error: EnvsyncError, *, one_line: bool) -> str:
    """Return an error as ASCII JSON that ends with a line end; `one_line` is for a stream of objects."""
    return json_text(error_document(error).model_dump(mode="json"), indent=None if one_line else 2)


def error_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of an error, generated from its models."""
    generated = ErrorDocument.model_json_schema(mode="serialization")
    definitions = generated.pop("$defs")
    return {"$schema": DRAFT, **generated, "title": "envsync error", "$defs": dict(sorted(definitions.items()))}


def _problem(problem: Problem) -> Any:
    place = problem.place
    return {
        "message": problem.message,
        "path": problem.path,
        "place": place and {"file": place.file, "line": place.line, "column": place.column},
        "hint": problem.hint or "",
    }
