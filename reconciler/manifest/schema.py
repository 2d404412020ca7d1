"""The JSON Schema of the manifest for editors: pydantic's, converted to the older draft that SchemaStore requires."""

from typing import Any

from reconciler.manifest.models import Manifest

DRAFT = "http://json-schema.org/draft-07/schema#"


def manifest_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft-07) of manifest version 1, generated from its models."""
    generated = Manifest.model_json_schema()
    definitions = generated.pop("$defs", {})
    title = {"$schema": DRAFT, "title": "envsync manifest"}
    schema: dict[str, Any] = title | {key: _draft_07(value) for key, value in generated.items() if key != "title"}
    schema["definitions"] = {name: _draft_07(value) for name, value in sorted(definitions.items())}
    return schema


def _draft_07(schema: Any) -> Any:
    """Return a schema of draft 2020-12 as one of draft-07 that is as strict as `load_manifest`.

    Draft-07 calls `$defs` `definitions`, and ignores all keywords next to a `$ref`. Keys that match no pattern of a
    mapping are errors, and so are keys without a value.
    """
    if isinstance(schema, list):
        return [_draft_07(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    branches = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(branches) != len(schema.get("anyOf", ())):
        other = {key: value for key, value in schema.items() if key not in {"anyOf", "default"}}
        schema = other | (branches[0] if len(branches) == 1 else {"anyOf": branches})
    if "patternProperties" in schema:
        schema = schema | {"additionalProperties": False}
    converted = {key: _converted(key, value) for key, value in schema.items()}
    if "$ref" in converted and len(converted) > 1:
        reference = converted.pop("$ref")
        converted["allOf"] = [{"$ref": reference}]
    return converted


def _converted(key: str, value: Any) -> Any:
    match key:
        case "$ref":
            return value.replace("#/$defs/", "#/definitions/")
        case "properties":
            return {name: {"title": name.replace("_", " ").title()} | _draft_07(each) for name, each in value.items()}
        case "patternProperties":
            return {name: _draft_07(each) for name, each in value.items()}
        case "examples" | "default":  # a mapping in them is a value, not a schema
            return value
        case _:
            return _draft_07(value)
