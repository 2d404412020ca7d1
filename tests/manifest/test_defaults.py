"""Every default is written in one place, reconciler/manifest/defaults.py; the models and the desired state use it."""

import ast
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
from pydantic import BaseModel

from reconciler.fastpath.root_line import read_root
from reconciler.manifest import defaults, desired, models
from reconciler.manifest.expand import expand
from reconciler.manifest.load import load_manifest

PACKAGE = Path(defaults.__file__).parent
ABSENT: tuple[object, ...] = (None, "", (), {})

# Each model with the value of the desired state that is made from it.
PAIRS: tuple[tuple[type[BaseModel], type], ...] = (
    (models.Manifest, desired.DesiredState),
    (models.Index, desired.Index),
    (models.Environment, desired.DesiredEnvironment),
    (models.ImportProbe, desired.ImportProbe),
    (models.CommandProbe, desired.CommandProbe),
    (models.Hooks, desired.Hooks),
    (models.Health, desired.Health),
)
MODELS = {model.__name__ for model, _ in PAIRS} | {"Project", "Matrix"}
VALUES = {value.__name__ for _, value in PAIRS} | {"DependenciesProbe"}


@pytest.mark.parametrize(("model", "value"), PAIRS, ids=lambda each: each.__name__)
def test_the_model_and_the_desired_state_have_the_same_default(model: type[BaseModel], value: type) -> None:
    fields_of = {each.name: each.default for each in fields(value)}
    compared = 0
    for name, info in model.model_fields.items():
        default = fields_of.get(name, MISSING)
        if info.is_required() or default is MISSING or info.default in ABSENT:
            continue
        assert info.default == default, f"{model.__name__}.{name}"
        compared += 1
    assert compared or model in {models.Index, models.Hooks}


def test_a_manifest_without_optional_keys_expands_to_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "envs.yaml"
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "acme"\nversion = "1"\n', encoding="utf-8")
    file.write_text(
        'version: 1\nproject: acme\nenvironments:\n  web: {python: "3.12", project: {}, probes: [{import: acme}]}\n',
        encoding="utf-8",
    )
    state = expand(load_manifest(file))
    (web,) = state.environments
    assert (state.root, state.locks) == (tmp_path / defaults.ROOT, tmp_path / defaults.LOCKS)
    assert state.cache == defaults.CACHE
    for each in fields(web):
        if (
            each.name not in {"name", "python", "place", "python_place", "project", "probes"}
            and each.default is not MISSING
        ):
            assert getattr(web, each.name) == each.default, each.name
    assert web.project is not None
    assert (web.project.relative, web.project.editable) == (defaults.PROJECT_PATH, defaults.PROJECT_EDITABLE)
    assert [each.timeout for each in web.probes] == [defaults.PROBE_TIMEOUT_SECONDS]


def test_the_fast_path_repeats_the_default_root(tmp_path: Path) -> None:
    (tmp_path / "envs.yaml").touch()
    assert read_root(str(tmp_path / "envs.yaml")) == str(tmp_path / defaults.ROOT)


@pytest.mark.parametrize(
    "name", ["models.py", "desired.py", "expand_environment.py", "expand.py", "cross_references.py"]
)
def test_no_other_module_repeats_a_default(name: str) -> None:
    """A default is `defaults.NAME`, or one that means absent."""
    tree = ast.parse((PACKAGE / name).read_text(encoding="utf-8"))
    for value in literal_defaults(tree):
        absent = isinstance(value, ast.Constant) and value.value in (None, "")
        assert absent, f"{name}:{value.lineno}: move {ast.unparse(value)} to reconciler/manifest/defaults.py"


def is_key(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and any(target.id in model.model_fields for model, _ in PAIRS)


def literal_defaults(tree: ast.Module) -> list[ast.expr]:
    """Return all literals that are a default: of a field, of `Field(default=...)`, or of `entry.value(key, ...)`."""
    found: list[ast.expr | None] = []
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name, body=body) if name in MODELS | VALUES:
                found += [each.value for each in body if isinstance(each, ast.AnnAssign) and is_key(each.target)]
            case ast.Call(func=ast.Name(id="Field"), keywords=keywords):
                found += [each.value for each in keywords if each.arg == "default"]
            case ast.Call(func=ast.Attribute(attr="value" | "get"), args=[_, default]):
                found.append(default)
            case _:
                pass
    return [each for each in found if isinstance(each, ast.Constant)]
