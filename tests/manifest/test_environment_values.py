"""Keys of an environment, each with one value: the place, the key, the message and the hint of every problem."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.errors import ManifestError
from reconciler.manifest.load import load_manifest

FILE = Path(__file__).parent.parent / "cases" / "manifest" / "environment-values.yaml"
CASES = yaml.safe_load(FILE.read_text(encoding="utf-8"))
HEAD = 'version: 1\nproject: acme\nenvironments:\n  web:\n    python: "3.12"\n    '


@pytest.mark.parametrize("written", [each["written"] for each in CASES if "problems" not in each])
def test_a_value_is_valid(written: str, tmp_path: Path) -> None:
    file = tmp_path / "envs.yaml"
    file.write_text(f"{HEAD}{written}\n")
    load_manifest(file)


@pytest.mark.parametrize("case", [each for each in CASES if "problems" in each], ids=lambda case: str(case["written"]))
def test_an_invalid_value_has_these_problems(case: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "envs.yaml"
    file.write_text(f"{HEAD}{case['written']}\n")
    with pytest.raises(ManifestError) as caught:
        load_manifest(file)
    assert [(str(each.place), each.path, each.message, each.hint or "") for each in caught.value.problems] == [
        (f"{file}:6:{each['column']}", f"environments.web.{each['key']}", each["message"], each.get("hint", ""))
        for each in case["problems"]
    ]
