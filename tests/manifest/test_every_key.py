"""The case good/every-key contains every key of every model, and each key changes the desired state."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from reconciler.errors import ManifestError
from reconciler.manifest.expand import expand
from reconciler.manifest.load import load_manifest
from reconciler.manifest.models import Manifest
from reconciler.manifest.source_text import KeyPath
from reconciler.manifest.validation_errors import key_names, model_at

CASE = Path(__file__).parent.parent / "cases" / "manifest" / "good" / "every-key"


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield every model that a type contains, the models in its fields included."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models(field.annotation)
    for part in get_args(annotation):
        yield from models(part)


def written_keys(value: object, path: KeyPath = ()) -> Iterator[tuple[str, KeyPath]]:
    """Yield every key that a manifest contains, as `Model.key`, with its key path."""
    match value:
        case BaseModel():
            for name in value.model_fields_set:
                key = type(value).model_fields[name].alias or name
                yield f"{type(value).__name__}.{key}", (*path, key)
                yield from written_keys(getattr(value, name), (*path, key))
        case Mapping():
            for key, each in value.items():
                yield from written_keys(each, (*path, key))
        case tuple():
            for number, each in enumerate(value):
                yield from written_keys(each, (*path, number))
        case _:
            pass


def sections(value: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, type[BaseModel]]]:
    """Yield the key path and the model of every mapping with fixed keys in a manifest."""
    match value:
        case BaseModel():
            yield path, type(value)
            for name in value.model_fields_set:
                key = type(value).model_fields[name].alias or name
                yield from sections(getattr(value, name), (*path, key))
        case Mapping():
            for key, each in value.items():
                yield from sections(each, (*path, key))
        case tuple():
            for number, each in enumerate(value):
                yield from sections(each, (*path, number))
        case _:
            pass


MANIFEST = load_manifest(CASE / "envs.yaml")
KEYS = sorted({f"{model.__name__}.{key}" for model in models(Manifest) for key in key_names(model)})


def test_the_case_contains_every_key() -> None:
    missing = sorted(set(KEYS) - {name for name, _ in written_keys(MANIFEST)})
    assert not missing, (
        f"not in tests/cases/manifest/good/every-key/envs.yaml: {', '.join(missing)}. Add each with a value other than "
        'its default, and its result to expanded.yaml. CONTRIBUTING.md, "Add a manifest key", lists all steps.'
    )


@pytest.mark.parametrize("name", KEYS)
def test_every_key_changes_the_desired_state(name: str, tmp_path: Path) -> None:
    paths = [path for written, path in written_keys(MANIFEST) if written == name]
    if not paths:
        pytest.fail(f"{name} is not in the case, see test_the_case_contains_every_key")
    plain = yaml.safe_load((CASE / "envs.yaml").read_text(encoding="utf-8"))
    before = digest_of(plain, tmp_path)
    for path in paths:
        section = plain
        for part in path[:-1]:
            section = section[part]
        del section[path[-1]]
    assert digest_of(plain, tmp_path) != before, (
        f"the desired state is the same without {name}. Pass it on in reconciler/manifest/expand_environment.py "
        "(a key of an environment) or expand.py (any other), and use a value other than the default in the case."
    )


def digest_of(plain: dict[str, Any], directory: Path) -> str:
    """Return the digest of the desired state, or an empty string if the manifest is not valid."""
    shutil.copytree(CASE, directory, dirs_exist_ok=True)
    (directory / "envs.yaml").write_text(yaml.safe_dump(plain), encoding="utf-8")
    try:
        return expand(load_manifest(directory / "envs.yaml")).digest
    except ManifestError:
        return ""


def test_the_hint_for_an_unknown_key_knows_the_keys_of_every_mapping() -> None:
    plain = yaml.safe_load((CASE / "envs.yaml").read_text(encoding="utf-8"))
    found = dict(sections(MANIFEST))
    assert set(found.values()) == set(models(Manifest)), "the case must contain a mapping of every model"
    for path, model in found.items():
        assert model_at(path, plain) is model, f"add {model.__name__} to model_at in manifest/validation_errors.py"
