"""The committed JSON Schemas are up to date. That of the manifest accepts what the program accepts."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from reconciler.cli.manifest import SchemaName, schema_text
from reconciler.manifest.models import Environment, Manifest
from reconciler.manifest.schema import manifest_schema


class _Yaml12Loader(yaml.SafeLoader):
    """Reads YAML 1.2 like editors: `on` and dates are text."""


_Yaml12Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in each if not tag.endswith((":timestamp", ":bool"))]
    for first, each in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Yaml12Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), ["t", "f"])

SCHEMAS = Path(__file__).parent.parent / "schemas"
CASES = Path(__file__).parent / "cases" / "manifest"
GOOD = sorted((CASES / "good").glob("*/envs.yaml"))

# The errors that a schema can express. It cannot check references between environments, or the contents of files.
BAD = (
    "unknown-key-in-environment",
    "unknown-keys-at-every-level",
    "wrong-types",
    "invalid-names",
    "unsupported-version",
    "version-as-text",
    "python-read-as-a-number",
    "env-values-not-strings",
    "invalid-env-names",
    "keys-without-values",
    "probes",
    "builds",
    "patterns",
    "a-list",
)


@pytest.mark.parametrize("name", SchemaName)
def test_a_committed_schema_is_up_to_date(name: SchemaName) -> None:
    committed = (SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(name), f"run `envsync schema {name} > schemas/{name}.schema.json`"


def test_the_manifest_schema_is_a_draft_07_schema() -> None:
    schema = manifest_schema()
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    jsonschema.Draft7Validator.check_schema(schema)
    text = json.dumps(schema)
    assert "$defs" not in text
    assert '"null"' not in text


@pytest.mark.parametrize("file", [*GOOD, CASES / "sample.yaml"], ids=lambda file: file.parent.name)
def test_a_good_manifest_validates(file: Path) -> None:
    jsonschema.validate(_yaml(file), manifest_schema(), cls=jsonschema.Draft7Validator)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_manifest_does_not_validate(name: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(_yaml(CASES / "bad" / f"{name}.yaml"), manifest_schema(), cls=jsonschema.Draft7Validator)


def test_every_key_has_a_title_and_a_description_for_editors() -> None:
    schema = manifest_schema()
    for name, definition in {"Manifest": schema, **schema["definitions"]}.items():
        assert definition["description"]
        for key, value in definition["properties"].items():
            assert value.get("description"), f"reconciler/manifest/models.py: give {name}.{key} a description"
            assert value.get("title"), f"{name}.{key} has no title"


def test_the_schema_knows_every_key_of_the_models() -> None:
    schema = manifest_schema()
    assert set(schema["properties"]) == set(Manifest.model_fields)
    assert set(schema["definitions"]["Environment"]["properties"]) == set(Environment.model_fields)


def _yaml(file: Path) -> Any:
    """Return the manifest like an editor reads it."""
    return yaml.load(file.read_text(encoding="utf-8"), Loader=_Yaml12Loader)  # noqa: S506
