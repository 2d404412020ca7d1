"""The manifest's keys as data, read from its JSON Schema, which is made from the models."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.manifest.schema import manifest_schema

Schema = Mapping[str, Any]

ROOT = "Manifest"
_PLURALS = {"string": "strings", "integer": "integers", "number": "numbers", "mapping": "mappings"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a mapping: what may be written there, and which other mappings (`refers`) its value holds."""

    name: str
    description: str
    type: str
    required: bool
    default: object
    has_default: bool
    allowed: tuple[str, ...]
    examples: tuple[object, ...]
    refers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyGroup:
    """One kind of mapping in a manifest: the model's name, its description, and its keys in the model's order."""

    model: str
    description: str
    keys: tuple[Key, ...]


def key_groups() -> dict[str, KeyGroup]:
    """Return every kind of mapping by the name of its model, the manifest first, then in the order of reference."""
    schema = manifest_schema()
    definitions: dict[str, Schema] = {ROOT: schema, **schema["definitions"]}
    found: dict[str, KeyGroup] = {}
    waiting = [ROOT]
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = _group(name, definitions[name])
            waiting += [each for key in found[name].keys for each in key.refers]
    return found


def _group(model: str, schema: Schema) -> KeyGroup:
    required = schema.get("required", ())
    keys = tuple(_key(name, each, required=name in required) for name, each in schema["properties"].items())
    return KeyGroup(model=model, description=schema.get("description", ""), keys=keys)


def _key(name: str, schema: Schema, *, required: bool) -> Key:
    return Key(
        name=name,
        description=schema.get("description", ""),
        type=_type(schema),
        required=required,
        default=schema.get("default"),
        has_default="default" in schema,
        allowed=tuple(_allowed(schema)),
        examples=tuple(schema.get("examples", ())) or _only_examples(schema),
        refers=tuple(_references(schema)),
    )


def _only_examples(schema: Schema) -> tuple[object, ...]:
    """Return the value of a key for which there is only one that is worth writing: a constant, or not the default."""
    if "const" in schema:
        return (schema["const"],)
    return (not schema["default"],) if schema.get("type") == "boolean" and "default" in schema else ()


def _type(schema: Schema) -> str:
    """Return the type in words, singular: `list of strings`."""
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(_type(each) for each in schema[several]))
    match schema:
        case {"const": int()}:
            return "integer"
        case {"type": "array", "items": items}:
            return f"list of {_plural(_type(items))}"
        case {"patternProperties": values}:
            value = " or ".join(_plural(_type(each)) for each in values.values())
            return f"mapping of names to {value}"
        case {"$ref": _} | {"allOf": _}:
            return "mapping"
        case {"type": str(simple)}:
            return simple
    raise ValueError(f"no words for this schema yet: {schema}")


def _plural(words: str) -> str:
    """Return the plural of a type in words."""
    if words.startswith(("list of ", "mapping of ")):
        first, rest = words.split(" ", 1)
        return f"{first}s {rest}"
    return " or ".join(_PLURALS[each] for each in words.split(" or "))


def _allowed(schema: Schema, whose: str = "") -> Iterator[str]:
    """Yield the limits on the values, in words; `whose` names the part that they apply to (`each entry`)."""
    prefix = f"{whose} " if whose else ""
    for several in ("anyOf", "oneOf"):
        for each in schema.get(several, ()):
            yield from _allowed(each, whose)
    if "const" in schema:
        yield f"{prefix}`{schema['const']}`"
    if "enum" in schema:
        yield prefix + ", ".join(f"`{each}`" for each in schema["enum"])
    if schema.get("type") == "boolean":
        yield f"{prefix}`true`, `false`"
    if "pattern" in schema:
        yield f"{prefix}matches `{schema['pattern']}`"
    if "minimum" in schema:
        yield f"{prefix}at least {schema['minimum']}"
    if "exclusiveMinimum" in schema:
        yield f"{prefix}more than {schema['exclusiveMinimum']}"
    if "minItems" in schema:
        yield f"{prefix}at least {schema['minItems']} entry"
    if "items" in schema:
        yield from _allowed(schema["items"], "each entry:")
    for pattern, value in schema.get("patternProperties", {}).items():
        yield f"each name: matches `{pattern}`"
        yield from _allowed(value, "each value:")


def _references(schema: object) -> Iterator[str]:
    """Yield the names of the models that a schema refers to, in order."""
    if isinstance(schema, Mapping):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].rpartition("/")[2]
        for name, each in schema.items():
            if name not in {"properties", "examples", "default"}:
                yield from _references(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _references(each)
