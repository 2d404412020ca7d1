"""Converts pydantic's errors to problems of the manifest, with a place, a clear message and a hint."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from reconciler.backticks import in_backticks, list_in_backticks
from reconciler.errors import Problem
from reconciler.manifest import models
from reconciler.manifest.field_types import INVALID_TEXT, WRONG_TYPE
from reconciler.manifest.flow_text import flow
from reconciler.manifest.hints import closest_match, did_you_mean, suggest
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.names import FROM_ENV, PUBLIC
from reconciler.manifest.python_request import corrected_python
from reconciler.manifest.requirement_corrections import operators_of_lists
from reconciler.manifest.source_text import KeyPath, SourceText
from reconciler.manifest.wrong_type_hints import command_words, rewritten, scalar
from reconciler.manifest.yaml_document import Value
from reconciler.manifest.yaml_mistakes import with_space_after_colon

_EXPECTED = {
    "string_type": "a string",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "`true` or `false`",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
# Names from other tools, and the keys that have the same meaning in a manifest.
_SYNONYMS = {
    "dependencies": "packages",
    "pip": "packages",
    "pip_packages": "packages",
    "install": "packages",
    "install_requires": "packages",
    "dev_dependencies": "packages",
    "requirements_file": "requirements",
    "requirements_files": "requirements",
    "requirements_txt": "requirements",
    "constraint": "constraints",
    "constraints_file": "constraints",
    "python_requires": "python",
    "python_versions": "matrix",
    "pythons": "matrix",
    "basepython": "python",
    "interpreter": "python",
    "setenv": "env",
    "environ": "env",
    "needs": "depends_on",
    "after": "depends_on",
    "tags": "labels",
    "virtualenvs": "environments",
    "venvs": "environments",
    "envlist": "environments",
    "env_list": "environments",
    "bases": "templates",
    "defaults": "templates",
    "index_url": "indexes",
    "extra_index_url": "indexes",
    "extra_index_urls": "indexes",
    "repositories": "indexes",
    "deps": "packages",
    "requires": "packages",
    "requirement": "requirements",
    "inherit": "extends",
    "inherits": "extends",
    "python_version": "python",
    "requires_python": "python",
    "env_vars": "env",
    "environment_variables": "env",
    "variables": "env",
    "checks": "probes",
    "protect": "prevent_destroy",
    "index": "indexes",
    "sources": "indexes",
    "envs": "environments",
    "name": "project",
    "cmd": "run",
    "command": "run",
    "module": "import",
}
_VALUE_SYNONYMS = {"reflink": "clone"}
_MAX_LISTED_KEYS = 10


def model_problems(errors: Sequence[ErrorDetails], value: Value, source: SourceText) -> list[Problem]:
    """Return one problem for each of pydantic's errors in `value`, the manifest as plain values."""
    return [_problem(error, value, source) for error in errors if not (error["type"] == "too_short" and error["input"])]


def error_path(error: ErrorDetails, value: Value) -> KeyPath:
    """Return the key path of an error: pydantic's location without the names of union branches."""
    path: list[str | int] = []
    for part in error["loc"]:
        match value:
            case dict() if isinstance(part, str) and part in value:
                value = value[part]
            case tuple() if isinstance(part, int) and part < len(value):
                value = value[part]
            case _:
                continue
        path.append(part)
    return tuple(path)


def _problem(error: ErrorDetails, value: Value, source: SourceText) -> Problem:
    path = error_path(error, value)
    context = error.get("ctx", {})
    found = error.get("input")
    if error["loc"] and error["loc"][-1] == "[key]":
        return source.problem(
            context.get("message", error["msg"]), path, hint=context.get("hint", ""), place=source.key_place(path)
        )
    match error["type"]:
        case "missing":
            key = str(error["loc"][-1])
            return source.problem(
                f"missing key `{key}`",
                path,
                hint=""
                if path
                else "add it: `version: 1`"
                if key == "version"
                else "add it, for example `project: acme`",
                place=source.key_place(path),
            )
        case "extra_forbidden":
            key = str(path[-1])
            hint = _unknown_key_hint(key, path[:-1], value)
            return source.problem("unknown key", path, hint=hint, place=source.key_place(path))
        case kind if kind == INVALID_TEXT:
            invalid = InvalidTextError(
                context["message"], hint=context["hint"], offset=context["offset"], width=context["width"]
            )
            if hint := _divided_at_commas(path, value):
                invalid.hint = hint
            elif path[-1] == "extends" and (corrected := _rewritten(path, value, source)):
                invalid.hint = f"write it as a list: `{flow(corrected[1])}`"  # `base, web`
            return source.invalid_text(invalid, path, str(found))
        case kind if kind == WRONG_TYPE:
            return _wrong_type(context["expected"], found, path, value, source)
        case "literal_error":
            words = context["expected"].replace("'", "").replace(" or ", ", ").split(", ")
            quoted = [f"`{word}`" for word in words]
            expected = " or ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
            hint = ""
            if source.hides(path):
                hint = _hint_without_values(expected, found, path, None)
            elif isinstance(found, str):
                synonym = _VALUE_SYNONYMS.get(found.lower())
                hint = suggest(synonym) if synonym and synonym in words else did_you_mean(found, words)
            if not hint and not source.hides(path) and (corrected := _rewritten(path, value, source)):
                hint = f"write `{corrected[0]}: {flow(corrected[1])}`"
            return source.problem(f"expected {expected}, got {_kind(found, path, source)}", path, hint=hint)
        case "greater_than_equal":
            return source.problem(f"expected {context['ge']} or more, got {found}", path, hint="")
        case "too_short":
            kind = "mapping" if isinstance(found, dict) else "list"
            return source.problem(f"the {kind} is empty", path, hint="add at least one item")
        case kind if kind in _EXPECTED:
            return _wrong_type(_EXPECTED[kind], found, path, value, source)
        case _:
            return source.problem(error["msg"][:1].lower() + error["msg"][1:], path, hint="")


def _wrong_type(expected: str, found: object, path: KeyPath, value: Value, source: SourceText) -> Problem:
    return source.problem(
        f"expected {expected}, got {_kind(found, path, source)}",
        path,
        hint=_wrong_type_hint(expected, found, path, value, source),
    )


def _wrong_type_hint(expected: str, found: object, path: KeyPath, value: Value, source: SourceText) -> str:
    written = source.written.get(path)
    if source.hides(path):
        return _hint_without_values(expected, found, path, written)
    if path == ("version",):
        newer = isinstance(found, int) and found > 1
        return "install a newer envsync, or write `version: 1`" if newer else "write `version: 1`"
    if expected == "a string" and written is not None and not _is_item_of_other_form(path):
        return _quoting_hint(written, path)
    if path[2:-1] == ("build_env",) and path[-1] not in {FROM_ENV, PUBLIC} and written is not None:
        return _quoting_hint(written, path)
    if expected == "a mapping" and isinstance(found, str):
        line = source.lines[source.value_place(path).line - 1]
        if spaced := with_space_after_colon(line):
            return suggest(spaced)
    if unquoted := scalar(expected, found):
        return f"write `{unquoted}` without quotes" if isinstance(found, str) else suggest(unquoted)
    if corrected := _rewritten(path, value, source):
        key, right = corrected
        same_key = key == path[-1]
        if same_key and isinstance(found, str) and isinstance(right, tuple):
            return f"write it as a list: `{flow(right)}`"
        return f"write `{flow(key)}: {flow(right)}`"
    if expected == "a list" and isinstance(found, str):
        items = command_words(found) if _is_command(path) else [found]
        return f"write it as a list: `{flow(tuple(items))}`"
    if expected == "a string" and isinstance(found, dict) and list(found.values()) == [None]:
        return f'quote it: `"{{{next(iter(found))}}}"`'
    return ""


def _hint_without_values(expected: str, found: object, path: KeyPath, written: str | None) -> str:
    """Return the hint for a value that may be a secret, so the hint must not contain it."""
    key = path[-1] if path else ""
    if written is not None and (expected == "a string" or path[2:-1] == ("build_env",)):
        return "put the value in quotes"
    if expected == "a mapping" and key in {"env", "build_env"}:
        return "write it as a mapping: `{NAME: VALUE}`"
    if expected == "a mapping" and key == "health":
        return "write it as a mapping: `{run: [PROGRAM, ARGUMENT]}`"
    if "probes" in path[-2:] and isinstance(found, str):
        return "write it as a list of probes: `[{run: [PROGRAM, ARGUMENT]}]`"
    if expected == "a list" and isinstance(found, str):
        if not {"after_publish", "before_delete"}.isdisjoint(path[-2:]):
            return "write it as a list of commands: `[[PROGRAM, ARGUMENT]]`"
        if _is_command(path):
            return "write it as a list: `[PROGRAM, ARGUMENT]`"
    return ""


def _rewritten(path: KeyPath, value: Value, source: SourceText) -> tuple[str, Value] | None:
    """Return the key and the value to write instead of what is at `path`, if they are valid; otherwise None.

    Only this one value is validated: a manifest may contain thousands of such errors.
    """
    corrected = rewritten(path, value, source.written) if path else None
    if corrected is None:
        return None
    parent = path[:-2] if isinstance(path[-1], int) else path[:-1]
    whole: Value = {corrected[0]: corrected[1]}
    for part in reversed(parent):
        whole = {str(part): whole}
    try:
        models.Manifest.model_validate(whole)
    except ValidationError as error:
        keys = (*parent, corrected[0])
        if any(error_path(each, whole)[: len(keys)] == keys for each in error.errors()):
            return None
    return corrected


def _divided_at_commas(path: KeyPath, value: Value) -> str:
    """Return the hint for a part of a requirement that YAML divided at its comma, empty for anything else."""
    items = value
    for part in path[:-1]:
        items = items[part]  # type: ignore[index]  # the path of an error exists
    if not isinstance(items, tuple) or not isinstance(path[-1], int) or path[-2] not in {"packages", "overrides"}:
        return ""
    whole = operators_of_lists(items, path[-1])
    return f'quote it, and the requirement before it, as one: `"{whole}"`' if whole else ""


def _is_item_of_other_form(path: KeyPath) -> bool:
    """Return whether a value is an item of a list where a single value is expected (`python: [3.11, 3.12]`)."""
    return len(path) > 1 and isinstance(path[-1], int) and path[-2] == "python" and path[-3:-2] != ("matrix",)


def _quoting_hint(written: str, path: KeyPath) -> str:
    """Return the hint to quote a value that YAML reads as a number or boolean, or how to write it if that is invalid.

    Only this one value is validated: a manifest may contain thousands of such errors.
    """
    if "python" in path[2:] and (corrected := _python_of_number(written)):
        return f'quote it: `"{corrected}"`'
    value: Value = written
    for part in reversed(path):
        value = {part: value} if isinstance(part, str) else (value,)
    path = tuple(part if isinstance(part, str) else 0 for part in path)
    try:
        models.Manifest.model_validate(value)
    except ValidationError as error:
        for each in error.errors():
            if error_path(each, value) == path and each["type"] == INVALID_TEXT:
                return str(each["ctx"]["hint"])
    return f'quote it: `"{written}"`'


def _python_of_number(written: str) -> str:
    """Return the Python version that a number means if it is not the number itself: 3.1 is 3.10, and 312 is 3.12."""
    if written == "3.1":
        return "3.10"
    return corrected_python(written) if written.isdecimal() and len(written) > 1 else ""


def _is_command(path: KeyPath) -> bool:
    return path[-1] == "run" or (len(path) > 2 and path[-3] == "hooks")


def _kind(value: object, path: KeyPath, source: SourceText) -> str:
    """Return a short description of a value; it does not contain one that may be a secret."""
    written = source.written.get(path)
    if source.hides(path) and not isinstance(value, dict | tuple):
        return "a string" if isinstance(value, str) else "a boolean" if isinstance(value, bool) else "a number"
    match value:
        case bool():
            word = "true" if value else "false"
            return f"the boolean `{word}`" if written in {None, word} else f"`{written}`, which YAML reads as `{word}`"
        case int() | float():
            number = f"the number {value}"
            return number if written in {None, str(value)} else f"`{written}`, which YAML reads as {number}"
        case str() if value.isdecimal() or value.lower() in {"true", "false", "yes", "no", "on", "off"}:
            return f'the string `"{value}"`' if len(value) <= 40 else "a string"
        case str():
            return in_backticks(value) if len(value) <= 40 else "a string"
        case dict():
            return "a mapping"
        case _:  # never null, which is reported as a missing value
            return "a list"


def _unknown_key_hint(key: str, parent: KeyPath, value: Value) -> str:
    model = model_at(parent, value)
    known = key_names(model)
    if model is models.Manifest and key in key_names(models.Environment):
        return f"move `{key}` into an environment or a template"
    if model is models.Environment and key in key_names(models.Manifest):
        return f"move `{key}` to the top level of the manifest"
    if model is models.Environment and key in key_names(models.Project):
        return f"move `{key}` into `project`"
    if meant := meant_key(key, known):
        return suggest(meant)
    if len(known) > _MAX_LISTED_KEYS:
        return "remove it; `envsync schema manifest` lists all keys"
    return f"remove it, or use one of these keys: {list_in_backticks(known)}"


def meant_key(key: str, known: Sequence[str]) -> str:
    """Return the key in `known` that an unknown key most likely should be, or an empty string."""
    synonym = _SYNONYMS.get(key.lower().replace("-", "_"))
    return synonym if synonym and synonym in known else closest_match(key, known) or ""


def key_names(model: type[BaseModel]) -> list[str]:
    """Return the keys of a mapping as written in a manifest, in the order of the model."""
    return [info.alias or name for name, info in model.model_fields.items()]


def model_at(path: KeyPath, value: Value) -> type[BaseModel]:
    """Return the model that defines the keys of the mapping at `path`; `value` is the whole manifest."""
    match path:
        case ("indexes", int()):
            return models.Index
        case ("templates" | "environments", str()):
            return models.Environment
        case (_, _, "project"):
            return models.Project
        case (_, _, "lock"):
            return models.LockSource
        case (_, _, "matrix"):
            return models.Matrix
        case (str() as kind, name, "matrix", axis, str() as variant, *below):
            inside: Any = value
            for key in (kind, name, "matrix", axis, variant):
                inside = inside[key]
            return model_at(("environments", variant, *below), {"environments": {variant: inside}})
        case (_, _, "hooks"):
            return models.Hooks
        case (_, _, "hooks", "after_publish" | "before_delete", int()):
            return models.PublicCommand
        case (_, _, "health"):
            return models.Health
        case (_, _, "ignore", int()):
            return models.PackageException
        case (_, _, "ignore_files", int()):
            return models.FileException
        case (kind, name, "probes", int() as number):
            probe: Any = value
            for key in (kind, name, "probes", number):
                probe = probe[key]
            return models.CommandProbe if models.probe_kind(probe) == "command" else models.ImportProbe
        case _:
            return models.Manifest
