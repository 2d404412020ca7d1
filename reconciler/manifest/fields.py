"""The types of a manifest's values: what pydantic checks each with, and what an editor is told about it."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from reconciler.manifest import names, paths
from reconciler.manifest.hints import did_you_mean
from reconciler.manifest.python_request import check_matrix_python, check_python
from reconciler.manifest.refusal import RefusedError
from reconciler.manifest.requirement import normalized_requirement
from reconciler.manifest.root_path import check_root
from reconciler.manifest.times import check_exclude_newer, parse_seconds
from reconciler.manifest.urls import check_index_url

REFUSED = "refused"  # the type of pydantic's error for a RefusedError
EXPECTED = "expected"  # ... and for a value that is neither of the kinds it may be; its context says which


def refused(refusal: RefusedError) -> PydanticCustomError:
    """Return a refusal as an error that pydantic collects with all others."""
    context = {"message": refusal.message, "hint": refusal.hint, "offset": refusal.offset, "width": refusal.width}
    return PydanticCustomError(REFUSED, "{message}", context)


def expected(what: str) -> PydanticCustomError:
    """Return the error for a value of the wrong kind; `what` names the right ones."""
    return PydanticCustomError(EXPECTED, "{expected}", {"expected": what})


def _checked(check: Callable[[str], str]) -> AfterValidator:
    def validate(text: str) -> str:
        try:
            return check(text)
        except RefusedError as refusal:
            raise refused(refusal) from refusal

    return AfterValidator(validate)


def _checked_in(check: Callable[[str, Path], str]) -> AfterValidator:
    """Check with the manifest's directory, which `load` hands in as the validation's context."""

    def validate(text: str, info: ValidationInfo) -> str:
        try:
            return check(text, (info.context or {}).get("directory", Path()))
        except RefusedError as refusal:
            raise refused(refusal) from refusal

    return AfterValidator(validate)


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise expected("a duration such as 10s, 2m or 1h")
    try:
        return parse_seconds(value)
    except RefusedError as refusal:
        raise refused(refusal) from refusal


def _argv(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words or not words[0].strip():
        raise refused(RefusedError("an empty command", hint="list the program and its arguments"))
    return words


def _names(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, tuple):
        raise expected("a name or a list of names")
    return value


def _version(value: object) -> int:
    if type(value) is not int or value != 1:
        raise expected("the number 1")
    return 1


def _builds_kind(value: object) -> str | None:
    return "word" if isinstance(value, str) else "names" if isinstance(value, tuple) else None


def _builds_word(text: str) -> str:
    if text not in {"allow", "deny"}:
        hint = did_you_mean(text, ("allow", "deny")) or f"write [{text}] to allow one package"
        raise RefusedError("neither `allow` nor `deny`", hint=hint)
    return text


def _shown(**schema: Any) -> Any:
    """Return what the JSON Schema says of a field beyond its type."""
    return Field(json_schema_extra=schema)


Version: TypeAlias = Annotated[int, BeforeValidator(_version), WithJsonSchema({"const": 1})]
Name: TypeAlias = Annotated[str, _checked(names.check_name), _shown(pattern=names.NAME_PATTERN)]
Names: TypeAlias = Annotated[
    tuple[Name, ...],
    BeforeValidator(_names),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": names.NAME_PATTERN},
                {"type": "array", "items": {"type": "string", "pattern": names.NAME_PATTERN}},
            ]
        }
    ),
]
ProjectId: TypeAlias = Annotated[str, _checked(names.check_project_id), _shown(pattern=names.PROJECT_PATTERN)]
Root: TypeAlias = Annotated[str, _checked_in(check_root)]
Locks: TypeAlias = Annotated[str, _checked(paths.check_locks)]
ProjectPath: TypeAlias = Annotated[str, _checked(paths.check_project_path)]
FilePath: TypeAlias = Annotated[str, _checked(paths.check_file_path)]
IndexUrl: TypeAlias = Annotated[str, _checked(check_index_url), _shown(pattern=r"^(https?|file)://")]
PackageGlob: TypeAlias = Annotated[str, _checked(names.check_package_glob), _shown(pattern=names.GLOB_PATTERN)]
PackageName: TypeAlias = Annotated[str, _checked(names.check_package_name)]
ExtraName: TypeAlias = Annotated[str, _checked(names.check_extra_name)]
FileGlob: TypeAlias = Annotated[str, _checked(names.check_file_glob)]
RequirementText: TypeAlias = Annotated[str, _checked(normalized_requirement)]
Python: TypeAlias = Annotated[str, _checked_in(check_python)]
MatrixPython: TypeAlias = Annotated[str, _checked(check_matrix_python)]
Variable: TypeAlias = Annotated[str, _checked(names.check_variable), _shown(pattern=names.VARIABLE_PATTERN)]
Label: TypeAlias = Annotated[str, _checked(names.check_label), _shown(pattern=names.LABEL_PATTERN)]
Module: TypeAlias = Annotated[str, _checked(names.check_module)]
ExcludeNewer: TypeAlias = Annotated[str, _checked(check_exclude_newer)]
Argv: TypeAlias = Annotated[tuple[str, ...], AfterValidator(_argv), _shown(minItems=1)]
Seconds: TypeAlias = Annotated[
    float,
    BeforeValidator(_seconds),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^\s*((\d+(\.\d+)?[smh])+|\d+(\.\d+)?)\s*$"},
                {"type": "number", "exclusiveMinimum": 0},
            ],
        }
    ),
]
Builds: TypeAlias = Annotated[
    Annotated[str, _checked(_builds_word), _shown(enum=["allow", "deny"]), Tag("word")]
    | Annotated[tuple[PackageName, ...], Tag("names")],
    Discriminator(
        _builds_kind,
        custom_error_type=EXPECTED,
        custom_error_message="{expected}",
        custom_error_context={"expected": "allow, deny or a list of package names"},
    ),
]
