"""`docs/manifest.md`: every key with type, default, description and example; the examples are valid."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

import reconciler
from docs.generate.manifest_keys import key_groups
from docs.generate.manifest_page import heading_of, title_of
from reconciler.manifest.models import Manifest
from tests.docs.pages import DOCS, block_after, section

PAGE = DOCS / "manifest.md"


def models(found: type[BaseModel] = Manifest) -> Iterator[type[BaseModel]]:
    """Yield every kind of mapping that a manifest may hold: the models beside it, all with the same base."""
    (base,) = found.__bases__
    yield from base.__subclasses__()


KEYS = [(model.__name__, field.alias or name) for model in models() for name, field in model.model_fields.items()]


@pytest.mark.parametrize(("model", "key"), KEYS, ids=lambda each: str(each))
def test_every_key_is_described_with_an_example(model: str, key: str) -> None:
    (found,) = [each for each in key_groups()[model].keys if each.name == key]
    assert found.description, f"reconciler/manifest/models.py: give {model}.{key} a description"
    assert found.examples, f"reconciler/manifest/models.py: give {model}.{key} examples"
    text = section(PAGE, heading_of(model, key), after=title_of(model))
    assert "\n- Type: " in text
    assert "\n- Default: " in text or "\n- Required\n" in text
    assert f"\n{key}:" in text.split("```yaml")[1]


PYTHON = {"python": "3.12"}
INDEX = {"name": "acme", "url": "https://index.example/simple"}
# A manifest around one entry of each kind.
AROUND: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "Manifest": lambda entry: entry,
    "Index": lambda entry: {"indexes": [INDEX | entry]},
    "Environment": lambda entry: {
        "indexes": [INDEX | {"name": "pytorch-cpu"}],
        "environments": {"one": PYTHON | entry, "tools": PYTHON},
    },
    "Project": lambda entry: {"environments": {"one": PYTHON | {"project": entry}}},
    "LockSource": lambda entry: {"environments": {"one": PYTHON | {"lock": {"from": "uv.lock"} | entry}}},
    "Matrix": lambda entry: {
        "environments": {"one": PYTHON | {"matrix": {"python": ["3.12", "3.13"], "django": ["4.2", "5.2"]} | entry}}
    },
    "ImportProbe": lambda entry: {"environments": {"one": PYTHON | {"probes": [{"import": "acme"} | entry]}}},
    "CommandProbe": lambda entry: {"environments": {"one": PYTHON | {"probes": [{"run": ["true"]} | entry]}}},
    "PackageException": lambda entry: {"environments": {"one": PYTHON | {"ignore": [{"match": "x"} | entry]}}},
    "FileException": lambda entry: {"environments": {"one": PYTHON | {"ignore_files": [{"match": "x"} | entry]}}},
    "Health": lambda entry: {"environments": {"one": PYTHON | {"health": {"run": ["true"]} | entry}}},
    "Hooks": lambda entry: {"environments": {"one": PYTHON | {"hooks": entry}}},
    "PublicCommand": lambda entry: {
        "environments": {"one": PYTHON | {"hooks": {"after_publish": [{"run": ["true"]} | entry]}}}
    },
}


@pytest.mark.parametrize(("model", "key"), KEYS, ids=lambda each: str(each))
def test_every_example_is_valid(tmp_path: Path, model: str, key: str) -> None:
    for number, text in enumerate(
        section(PAGE, heading_of(model, key), after=title_of(model)).split("```")[1].split("# or\n")
    ):
        entry = yaml.safe_load(text.removeprefix("yaml\n"))
        whole = {"version": 1, "project": "acme", "templates": {"base": PYTHON, "web": {}}} | AROUND[model](entry)
        file = tmp_path / f"{number}.yaml"
        file.write_text(json.dumps(whole), encoding="utf-8")
        reconciler.load(file)


def test_the_example_of_a_matrix_has_the_names_that_the_page_says(tmp_path: Path) -> None:
    file = tmp_path / "envs.yaml"
    file.write_text(block_after(PAGE, "matrix example", "yaml"), encoding="utf-8")
    environments = reconciler.load(file).desired().environments
    names = [each.name for each in environments]
    assert "test-py311-django42-cpu" in names
    assert len(names) == 2 * 2 * 2 - 2
    assert environments[0].description == "Django 4.2 on Python 3.11"


def test_the_complete_example_is_valid(tmp_path: Path) -> None:
    file = tmp_path / "envs.yaml"
    file.write_text(block_after(PAGE, "example", "yaml"), encoding="utf-8")
    names = [each.name for each in reconciler.load(file).desired().environments]
    assert names == ["test-py311", "test-py312", "test-py313", "tools", "web"]
