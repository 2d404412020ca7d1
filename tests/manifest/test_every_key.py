"""The case good/every-key contains every key of every model, and each key changes the desired state and its plans.

A new key fails here until it is in the case, reaches the desired state, and has an effect. Its schema, its section in
docs/manifest.md and its plan case are tested in tests/test_schemas.py, tests/docs/test_manifest_page.py and
tests/plan/test_completeness.py. CONTRIBUTING.md, "Add a manifest key", has all steps in order.
"""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from reconciler.diff.settings import settings_of
from reconciler.errors import ManifestError
from reconciler.manifest.desired import DesiredState
from reconciler.manifest.expand import expand
from reconciler.manifest.load import load_manifest
from reconciler.manifest.models import Manifest
from reconciler.manifest.source_text import KeyPath
from reconciler.manifest.validation_errors import key_names, model_at
from tests.lock.nothing_generated import inputs_digest

CASE = Path(__file__).parent.parent / "cases" / "manifest" / "good" / "every-key"
# The keys of an environment that only its next build uses: a change of them alone is neither drift nor pending.
# Another value of each key that cannot be removed, for the last place where it is written.
ANOTHER: dict[str, object] = {
    "CommandProbe.run": ["true"],
    "Environment.python": "3.13",
    "FileException.match": "elsewhere/**",
    "Health.run": ["true"],
    "ImportProbe.import": "elsewhere",
    "Index.name": "elsewhere",
    "Index.url": "https://elsewhere.example/simple",
    "LockSource.from": "site/pylock.toml",
    "Manifest.allow_paths": ["/srv"],
    "Manifest.indexes": [{"name": "mirror", "url": "https://elsewhere.example/simple"}],
    "Manifest.project": "elsewhere",
    "Manifest.templates": {"base": {"python": ">=3.11", "labels": {"tier": "elsewhere"}}},
    "Matrix.exclude": [{"variant": "gpu", "python": "3.11"}],
    "Matrix.python": ["3.12", "3.13"],
    "PackageException.match": "elsewhere",
    "Project.path": "elsewhere",
    "PublicCommand.run": ["true"],
}
WITHOUT_EFFECT = {
    "Index.file_hosts",  # it only decides whether a lock is accepted: tests/lock/test_refusals.py
    "Index.name",  # only messages and the variables for credentials contain it
}
# Required keys without another valid value.
ALONE = {"Manifest.environments", "Manifest.version"}
NEXT_BUILD = {"Environment.builds", "Environment.compile_bytecode", "Environment.link_mode"}


def models(annotation: Any, seen: tuple[type[BaseModel], ...] = ()) -> Iterator[type[BaseModel]]:
    """Yield every model that a type contains, the models in its fields included."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation in seen:  # the variants of a matrix are environments
            return
        yield annotation
        for field in annotation.model_fields.values():
            yield from models(field.annotation, (*seen, annotation))
    for part in get_args(annotation):
        yield from models(part, seen)


def written_as(value: BaseModel, name: str) -> str:
    """Return the key of a field; the axes of a matrix have names of their own."""
    field = type(value).model_fields.get(name)
    return (field and field.alias) or name


def written_keys(value: object, path: KeyPath = ()) -> Iterator[tuple[str, KeyPath]]:
    """Yield every key that a manifest contains, as `Model.key`, with its key path."""
    match value:
        case BaseModel():
            for name in value.model_fields_set:
                key = written_as(value, name)
                if name in type(value).model_fields:
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
                key = written_as(value, name)
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


@pytest.mark.parametrize("name", [name for name in KEYS if name not in ALONE])
def test_every_key_changes_the_desired_state(name: str, tmp_path: Path) -> None:
    before, after = desired_with_and_without(name, tmp_path)
    assert after.digest != before.digest, (
        f"the desired state is the same without {name}. Pass it on in reconciler/manifest/expand_environment.py "
        "(a key of an environment) or expand.py (any other), and use a value other than the default in the case."
    )


@pytest.mark.parametrize("name", [name for name in KEYS if not name.startswith("Manifest.")])
def test_every_key_of_an_environment_has_an_effect(name: str, tmp_path: Path) -> None:
    before, after = desired_with_and_without(name, tmp_path)
    if name in NEXT_BUILD | WITHOUT_EFFECT:
        assert effects(after) == effects(before), f"{name} has an effect: remove it from these sets"
        return
    assert effects(after) != effects(before), (
        f"a change of {name} is neither shown by `plan` nor applied. Add it to settings_of in "
        "reconciler/diff/settings.py, or to inputs_digest in reconciler/lock/freshness.py if it changes what is "
        "resolved. If only the next build uses it, add it to NEXT_BUILD in this file and say so in settings_of."
    )


def effects(desired: DesiredState) -> dict[str, Any]:
    """Return by environment what is compared with the last apply, its former name, and whether it may be skipped."""
    return {
        each.name: (settings_of(each), inputs_digest(each, desired.indexes), each.renamed_from, each.optional)
        for each in desired.environments
    }


def desired_with_and_without(name: str, directory: Path) -> tuple[DesiredState, DesiredState]:
    """Return the desired state of the case, and the one without a key, or with `ANOTHER` value of a required key."""
    paths = [path for written, path in written_keys(MANIFEST) if written == name]
    if not paths:
        pytest.fail(f"{name} is not in the case, see test_the_case_contains_every_key")
    plain = yaml.safe_load((CASE / "envs.yaml").read_text(encoding="utf-8"))
    before = desired_of(plain, directory)
    used = [path for path in paths if path[0] != "templates"] or paths  # an environment can have its own value
    for path in used[-1:] if name in ANOTHER else paths:
        section = plain
        for part in path[:-1]:
            section = section[part]
        if name in ANOTHER:
            section[path[-1]] = ANOTHER[name]
        else:
            del section[path[-1]]
    shutil.copytree(CASE / "site", directory / "elsewhere")
    try:
        return before, desired_of(plain, directory)
    except ManifestError as error:
        pytest.fail(f"{name} is required: add another value to ANOTHER in this file ({error.message})")


def desired_of(plain: dict[str, Any], directory: Path) -> DesiredState:
    """Return the desired state of a manifest next to the files of the case."""
    shutil.copytree(CASE, directory, dirs_exist_ok=True)
    (directory / "envs.yaml").write_text(yaml.safe_dump(plain), encoding="utf-8")
    return expand(load_manifest(directory / "envs.yaml"))


def test_the_hint_for_an_unknown_key_knows_the_keys_of_every_mapping() -> None:
    plain = yaml.safe_load((CASE / "envs.yaml").read_text(encoding="utf-8"))
    found = dict(sections(MANIFEST))
    assert set(found.values()) == set(models(Manifest)), "the case must contain a mapping of every model"
    for path, model in found.items():
        assert model_at(path, plain) is model, f"add {model.__name__} to model_at in manifest/validation_errors.py"
