"""Settings of uv and PDM that change what is resolved: taken over, equal to a key of the manifest, or refused."""

from pathlib import Path

import pytest
import yaml

from reconciler.errors import ManifestError
from reconciler.manifest.desired import DesiredEnvironment
from tests.manifest.test_project_sources import expanded, write

FILE = Path(__file__).parent.parent / "cases" / "manifest" / "resolver-settings.yaml"
CASES = yaml.safe_load(FILE.read_text(encoding="utf-8"))


def environment(directory: Path, table: str, settings: str, keys: str) -> DesiredEnvironment:
    """Return the environment of a project with such a table in its pyproject.toml, and these keys in the manifest."""
    write(directory / "app", "app", more=f"[tool.{table}]\n{settings}\n")
    manifest = f'environments: {{web: {{python: "3.12", project: {{path: app}}, {keys}}}}}\n'
    return expanded(directory, manifest).environments[0]


@pytest.mark.parametrize(
    "case", [each for each in CASES if "message" not in each], ids=lambda case: str(case["settings"])
)
def test_a_setting_is_accepted_if_it_changes_nothing(case: dict[str, str], tmp_path: Path) -> None:
    found = environment(tmp_path, case["table"], case["settings"], case.get("manifest", ""))
    assert (found.constraints, found.overrides) == ((), ())


@pytest.mark.parametrize("case", [each for each in CASES if "message" in each], ids=lambda case: str(case["settings"]))
def test_a_setting_that_the_manifest_does_not_have_too_is_refused(case: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        environment(tmp_path, case["table"], case["settings"], case.get("manifest", ""))
    place = f"{tmp_path}/app/pyproject.toml:{case['place']}"
    assert [(str(each.place), each.message, each.hint or "") for each in caught.value.problems] == [
        (place, case["message"], case.get("hint", ""))
    ]


@pytest.mark.parametrize(
    ("table", "settings", "keys", "constraints", "overrides"),
    [
        ("uv", "constraint-dependencies = ['Six<2']", "", ("six<2",), ()),
        ("uv", "override-dependencies = ['six<2', 'Idna']", "", (), ("six<2", "idna")),
        ("uv", "override-dependencies = ['six<2', 'Idna']", "overrides: [six==1]", (), ("six==1", "idna")),
        (
            "pdm.resolution",
            "overrides = {idna = '>=3', toml = '1.0', b = 'https://a.example/b.whl'}",
            "",
            (),
            ("idna>=3", "toml==1.0", "b @ https://a.example/b.whl"),
        ),
    ],
)
def test_constraints_and_overrides_are_taken_over(
    table: str, settings: str, keys: str, constraints: tuple[str, ...], overrides: tuple[str, ...], tmp_path: Path
) -> None:
    found = environment(tmp_path, table, settings, keys)
    assert (found.constraints, found.overrides) == (constraints, overrides)
