"""Every file of tests/cases/observe: an environment, the changes to it, the findings, and the freeze lines."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.observe.actual import FindingCode
from reconciler.observe.freeze import freeze_lines
from tests.observe.trees import observe_case

CASES = Path(__file__).parent.parent / "cases" / "observe"
FILES = sorted(CASES.glob("*.yaml"))


def cases() -> list[Any]:
    found = []
    for file in FILES:
        for number, case in enumerate(yaml.safe_load_all(file.read_text(encoding="utf-8"))):
            found.append(pytest.param(case, id=f"{file.stem}-{number}"))
    return found


@pytest.mark.parametrize("case", cases())
def test_case(case: dict[str, Any], tmp_path: Path) -> None:
    seen = observe_case(tmp_path, case)

    found = sorted(f"{each.code} {each.path} {each.package}".rstrip() for each in seen.findings)
    assert found in [
        sorted(text.replace("SITE/", "lib/python3.12/site-packages/") for text in expected)
        for expected in case.get("any_of", [case["findings"]])
    ]
    assert seen.occupant == case.get("occupant", "published")
    if "freeze" in case:
        assert freeze_lines(seen) == case["freeze"]
    assert all(each.detail for each in seen.findings)
    assert all("\n" not in each.detail for each in seen.findings)


def test_every_finding_code_has_a_case() -> None:
    assert {file.stem for file in FILES} >= {code.value for code in FindingCode}


def test_every_case_file_shows_its_finding() -> None:
    for file in FILES:
        if file.stem in set(FindingCode):
            documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
            shown = {text.split(" ")[0] for each in documents for text in each["findings"]}
            assert file.stem in shown
