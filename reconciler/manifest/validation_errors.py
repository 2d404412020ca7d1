"""pydantic's errors as problems of the manifest: where they stand, and in words of a manifest."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from reconciler.errors import Problem
from reconciler.manifest import models
from reconciler.manifest.fields import EXPECTED, REFUSED
from reconciler.manifest.hints import did_you_mean
from reconciler.manifest.refusal import RefusedError
from reconciler.manifest.source_text import KeyPath, SourceText
from reconciler.manifest.yaml_document import Value

_EXPECTED = {
    "string_type": "a string",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
# Words of other tools for what a manifest calls otherwise.
_ALSO_CALLED = {
    "dependencies": "packages",
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


def model_problems(errors: Sequence[ErrorDetails], value: Value, source: SourceText) -> list[Problem]:
    """Return one problem for each of pydantic's errors about `value`."""
    return [_problem(error, value, source) for error in errors]


def error_path(error: ErrorDetails, value: Value) -> KeyPath:
    """Return the key path of an error: pydantic's, less the names of the branches of unions."""
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
        key = str(path[-1])
        return source.problem(
            context.get("message", error["msg"]), path, hint=context.get("hint", ""), place=source.key_place(path)
        )
    match error["type"]:
        case "missing":
            return source.problem(f"missing key `{error['loc'][-1]}`", path, place=source.key_place(path))
        case "extra_forbidden":
            key = str(path[-1])
            hint = _unknown_key_hint(key, path[:-1], value)
            return source.problem("unknown key", path, hint=hint, place=source.key_place(path))
        case kind if kind == REFUSED:
            refusal = RefusedError(
                context["message"], hint=context["hint"], offset=context["offset"], width=context["width"]
            )
            return source.refusal(refusal, path, str(found))
        case kind if kind == EXPECTED:
            return _unexpected(context["expected"], found, path, source)
        case "literal_error":
            words = context["expected"].replace("'", "").replace(" or ", ", ").split(", ")
            expected = " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
            hint = did_you_mean(found, words) if isinstance(found, str) else ""
            return source.problem(f"expected {expected}, got {_kind(found, path, source)}", path, hint=hint)
        case "greater_than_equal":
            return source.problem(f"expected {context['ge']} or more, got {found}", path)
        case "too_short":
            return source.problem("an empty list", path, hint="list at least one, or remove the key")
        case kind if kind in _EXPECTED:
            return _unexpected(_EXPECTED[kind], found, path, source)
        case _:
            return source.problem(error["msg"][:1].lower() + error["msg"][1:], path)


def _unexpected(expected: str, found: object, path: KeyPath, source: SourceText) -> Problem:
    """Return the problem of a value of another kind; one that YAML took for a number or boolean has to be quoted."""
    written = source.written.get(path)
    hint = ""
    if expected == "the number 1" and path == ("version",):
        return source.problem(
            f"expected {expected}, got {_kind(found, path, source)}",
            path,
            hint="this envsync reads manifests of version 1",
        )
    if expected == "a string" and written is not None:
        hint = f'quote it: "{written}"'
    elif expected == "a list" and isinstance(found, str) and path != ("indexes",):
        words = ", ".join(found.split()) if _is_command(path) else found
        hint = f"write it as a list: [{words}]"
    return source.problem(f"expected {expected}, got {_kind(found, path, source)}", path, hint=hint)


def _is_command(path: KeyPath) -> bool:
    return path[-1] == "run" or (len(path) > 2 and path[-3] == "hooks")


def _kind(value: object, path: KeyPath, source: SourceText) -> str:
    """Describe a value in a few words."""
    written = source.written.get(path)
    match value:
        case bool():
            word = "true" if value else "false"
            return f"the boolean {word}" if written in {None, word} else f"{written}, which YAML reads as {word}"
        case int() | float():
            number = f"the number {value}"
            return number if written in {None, str(value)} else f"{written}, which YAML reads as {number}"
        case str():
            return f"`{value}`" if len(value) <= 40 else "a string"
        case dict():
            return "a mapping"
        case tuple():
            return "a list"
        case _:
            return "nothing"


def _unknown_key_hint(key: str, parent: KeyPath, value: Value) -> str:
    model = _model_at(parent, value)
    known = _keys(model)
    folded = key.lower().replace("-", "_")
    if _ALSO_CALLED.get(folded) in known:
        return f"did you mean `{_ALSO_CALLED[folded]}`?"
    if hint := did_you_mean(key, known):
        return hint
    if model is models.Manifest and key in _keys(models.Environment):
        return f"`{key}` is a key of an environment or a template"
    if model is models.Environment and key in _keys(models.Manifest):
        return f"`{key}` stands at the top of the manifest"
    if model is models.Environment and key in _keys(models.Project):
        return f"`{key}` stands below `project`"
    return "known keys: " + ", ".join(known)


def _keys(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def _model_at(path: KeyPath, value: Value) -> type[BaseModel]:
    """Return the model that says which keys the mapping at `path` may have."""
    match path:
        case ("indexes", int()):
            return models.Index
        case ("templates" | "environments", str()):
            return models.Environment
        case (_, _, "project"):
            return models.Project
        case (_, _, "matrix"):
            return models.Matrix
        case (_, _, "hooks"):
            return models.Hooks
        case (kind, name, "probes", int() as number):
            probe: Any = value
            for key in (kind, name, "probes", number):
                probe = probe[key]
            return models.CommandProbe if models.probe_kind(probe) == "command" else models.ImportProbe
        case _:
            return models.Manifest
