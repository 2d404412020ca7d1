"""The types of manifest values: how pydantic validates each, and its JSON Schema for editors."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from reconciler.backticks import in_backticks
from reconciler.manifest import names, paths
from reconciler.manifest.hints import did_you_mean
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.placeholders import normalize_package
from reconciler.manifest.python_request import validate_matrix_python, validate_python
from reconciler.manifest.requirement import normalize_requirement
from reconciler.manifest.root_path import validate_root
from reconciler.manifest.times import parse_seconds, validate_age, validate_date, validate_exclude_newer
from reconciler.manifest.urls import FILE_HOST_PATTERN, validate_file_host, validate_index_url

# The types of pydantic's custom errors.
INVALID_TEXT = "invalid_text"
WRONG_TYPE = "wrong_type"  # its context says which types are allowed


def _invalid_text(error: InvalidTextError) -> PydanticCustomError:
    """Return the error as one that pydantic collects with all others."""
    context = {"message": error.message, "hint": error.hint, "offset": error.offset, "width": error.width}
    return PydanticCustomError(INVALID_TEXT, "{message}", context)


def _wrong_type(expected: str) -> PydanticCustomError:
    """Return the error for a value of the wrong type; `expected` describes the allowed ones."""
    return PydanticCustomError(WRONG_TYPE, "{expected}", {"expected": expected})


def _validated(validate: Callable[[str], str]) -> AfterValidator:
    """Validate with a function that returns the normalized text or raises InvalidTextError."""

    def validator(text: str) -> str:
        try:
            return validate(text)
        except InvalidTextError as error:
            raise _invalid_text(error) from error

    return AfterValidator(validator)


def _validated_in_directory(validate: Callable[[str, Path], str]) -> AfterValidator:
    """Validate with the manifest's directory, which `load_manifest` passes as pydantic's validation context."""

    def validator(text: str, info: ValidationInfo) -> str:
        try:
            return validate(text, (info.context or {}).get("directory", Path()))
        except InvalidTextError as error:
            raise _invalid_text(error) from error

    return AfterValidator(validator)


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _wrong_type("a duration such as `10s`, `2m` or `1h`")
    try:
        return parse_seconds(value)
    except InvalidTextError as error:
        raise _invalid_text(error) from error


def _age(value: object) -> str:
    if isinstance(value, bool) or not (isinstance(value, str) or value == 0):
        raise _wrong_type("an age such as 7 days")
    try:
        return validate_age(str(value))
    except InvalidTextError as error:
        raise _invalid_text(error) from error


def _argv(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words or not words[0].strip():
        raise _invalid_text(InvalidTextError("the command is empty", hint="list the program and its arguments"))
    return words


def _one_or_more_names(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, tuple):
        raise _wrong_type("a name or a list of names")
    return value


def _version(value: object) -> int:
    if type(value) is not int or value != 1:
        raise _wrong_type("the number 1")
    return 1


class _ListForText(tuple[object, ...]):
    """A list in the place of a text."""

    __slots__ = ()


class _TextForList(str):
    """A text in the place of a list."""

    __slots__ = ()


def _with_kinds(*lists: str) -> BeforeValidator:
    """Mark the values of variables that have the wrong kind: those of the keys `lists` are lists, all others texts."""

    def validator(values: object) -> object:
        if not isinstance(values, dict):
            return values
        return {name: _marked(value, is_list=name in lists) for name, value in values.items()}

    return BeforeValidator(validator)


def _marked(value: object, *, is_list: bool) -> object:
    if isinstance(value, tuple) and not is_list:
        return _ListForText(value)
    return _TextForList(value) if isinstance(value, str) and is_list else value


def _build_value_kind(value: object) -> str | None:
    """Return the kind that a value must have, None if it has neither."""
    match value:
        case _ListForText():
            return "text"
        case _TextForList():
            return "names"
        case _:
            return "text" if isinstance(value, str) else "names" if isinstance(value, tuple) else None


def _value_kind(value: object) -> str:
    return _build_value_kind(value) or "text"


def _build_env(values: Mapping[str, str | tuple[str, ...]]) -> Mapping[str, str | tuple[str, ...]]:
    """Return a `build_env` without a variable that is given twice."""
    twice = sorted(
        {*values.get(names.FROM_ENV, ())} & {*values} | ({names.FROM_ENV} & {*values.get(names.FROM_ENV, ())})
    )
    if twice:
        message = f"`{twice[0]}` is given twice: as text, and by `{names.FROM_ENV}`"
        raise _invalid_text(InvalidTextError(message, hint="remove one of them"))
    return values


_BUILDS = "`allow`, `deny` or a list of package names"


def _builds_kind(value: object) -> str | None:
    return "word" if isinstance(value, str) else "names" if isinstance(value, tuple) else None


def _builds_word(text: str) -> str:
    if text not in {"allow", "deny"}:
        hint = did_you_mean(text, ("allow", "deny")) or f"write `[{text}]` to allow builds of that package only"
        raise InvalidTextError(f"expected {_BUILDS}, got {in_backticks(text)}", hint=hint)
    return text


def _json_schema(**schema: Any) -> Any:
    """Return the keywords that a field adds to its JSON Schema."""
    return Field(json_schema_extra=schema)


Version: TypeAlias = Annotated[int, BeforeValidator(_version), WithJsonSchema({"const": 1})]
Name: TypeAlias = Annotated[str, _validated(names.validate_name), _json_schema(pattern=names.NAME_PATTERN)]
Names: TypeAlias = Annotated[
    tuple[Name, ...],
    BeforeValidator(_one_or_more_names),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": names.NAME_PATTERN},
                {"type": "array", "items": {"type": "string", "pattern": names.NAME_PATTERN}},
            ]
        }
    ),
]
ProjectId: TypeAlias = Annotated[
    str, _validated(names.validate_project_id), _json_schema(pattern=names.PROJECT_PATTERN)
]
Root: TypeAlias = Annotated[str, _validated_in_directory(validate_root)]
Locks: TypeAlias = Annotated[str, _validated(paths.validate_lock_directory)]
AllowedPath: TypeAlias = Annotated[str, _validated_in_directory(paths.validate_allowed_path)]
ProjectPath: TypeAlias = Annotated[str, _validated(paths.validate_project_path)]
FilePath: TypeAlias = Annotated[str, _validated(paths.validate_file_path)]
LockSourcePath: TypeAlias = Annotated[str, _validated(paths.validate_lock_source)]
IndexUrl: TypeAlias = Annotated[
    str, _validated(validate_index_url), _json_schema(pattern=r"^((https?|file)://|\.\.?/)")
]
FileHost: TypeAlias = Annotated[str, _validated(validate_file_host), _json_schema(pattern=FILE_HOST_PATTERN)]
PackageGlob: TypeAlias = Annotated[
    str, _validated(names.validate_package_pattern), _json_schema(pattern=names.GLOB_PATTERN)
]
PackageName: TypeAlias = Annotated[str, _validated(names.validate_package_name)]
ExtraName: TypeAlias = Annotated[str, _validated(names.validate_extra_name)]
FileGlob: TypeAlias = Annotated[str, _validated(names.validate_file_pattern)]
Date: TypeAlias = Annotated[str, _validated(validate_date), _json_schema(pattern=r"^\d{4}-\d{2}-\d{2}$")]
RequirementText: TypeAlias = Annotated[str, _validated(normalize_requirement)]
PackageText: TypeAlias = Annotated[str, _validated(normalize_package)]
Python: TypeAlias = Annotated[str, _validated_in_directory(validate_python)]
MatrixPython: TypeAlias = Annotated[str, _validated(validate_matrix_python)]
AxisName: TypeAlias = Annotated[str, _validated(names.validate_axis_name), _json_schema(pattern=names.AXIS_PATTERN)]
AxisValue: TypeAlias = Annotated[
    str, _validated(names.validate_axis_value), _json_schema(pattern=names.AXIS_VALUE_PATTERN)
]
Variable: TypeAlias = Annotated[
    str, _validated(names.validate_variable_name), _json_schema(pattern=names.VARIABLE_PATTERN)
]
Env: TypeAlias = Annotated[
    Mapping[
        Variable,
        Annotated[
            Annotated[str, Tag("text")] | Annotated[tuple[Variable, ...], Tag("names")],
            Discriminator(_value_kind),
        ],
    ],
    _with_kinds(names.PUBLIC),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                names.PUBLIC: {"type": "array", "items": {"type": "string", "pattern": names.VARIABLE_PATTERN}}
            },
            "propertyNames": {"type": "string", "pattern": names.VARIABLE_PATTERN},
            "additionalProperties": {"type": "string"},
        }
    ),
]
_BUILD_VARIABLE = {"type": "string", "pattern": names.VARIABLE_PATTERN}
BuildEnv: TypeAlias = Annotated[
    Mapping[
        Annotated[str, _validated(names.validate_build_variable_name)],
        Annotated[
            Annotated[str, Tag("text")]
            | Annotated[tuple[Annotated[str, _validated(names.validate_build_variable_name)], ...], Tag("names")],
            Discriminator(
                _build_value_kind,
                custom_error_type=WRONG_TYPE,
                custom_error_message="{expected}",
                custom_error_context={"expected": "text, or for `from_env` and `public` a list of names"},
            ),
        ],
    ],
    _with_kinds(names.FROM_ENV, names.PUBLIC),
    AfterValidator(_build_env),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                each: {"type": "array", "items": _BUILD_VARIABLE} for each in (names.FROM_ENV, names.PUBLIC)
            },
            "propertyNames": _BUILD_VARIABLE,
            "additionalProperties": {"type": "string"},
        }
    ),
]
Label: TypeAlias = Annotated[str, _validated(names.validate_label_name), _json_schema(pattern=names.LABEL_PATTERN)]
Module: TypeAlias = Annotated[str, _validated(names.validate_module_name)]
ExcludeNewer: TypeAlias = Annotated[str, _validated(validate_exclude_newer)]
Argv: TypeAlias = Annotated[tuple[str, ...], AfterValidator(_argv), _json_schema(minItems=1)]
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
Age: TypeAlias = Annotated[
    str,
    BeforeValidator(_age),
    WithJsonSchema(
        {
            "anyOf": [
                {
                    "type": "string",
                    "pattern": r"^(\d{1,5}\s*(hour|day|week)s?|P(?=.)(\d{1,5}W)?(\d{1,5}D)?(T\d{1,5}H)?|0)$",
                },
                {"const": 0},
            ],
        }
    ),
]
Builds: TypeAlias = Annotated[
    Annotated[str, _validated(_builds_word), _json_schema(enum=["allow", "deny"]), Tag("word")]
    | Annotated[tuple[PackageName, ...], Tag("names")],
    Discriminator(
        _builds_kind,
        custom_error_type=WRONG_TYPE,
        custom_error_message="{expected}",
        custom_error_context={"expected": _BUILDS},
    ),
]
