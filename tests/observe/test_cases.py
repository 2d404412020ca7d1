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
DETECTORS = "reconciler/observe (for instance file_changes.py, distribution.py or environment.py)"


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
    ignored = [f"{each.code} {each.path} {each.package}".rstrip() for each in seen.ignored]
    expected = [text.replace("SITE/", "lib/python3.12/site-packages/") for text in case.get("ignored", [])]
    assert sorted(ignored) == sorted(expected)
    assert seen.occupant == case.get("occupant", "published")
    if "freeze" in case:
        assert freeze_lines(seen, all=False, exclude=(), exclude_editable=False) == case["freeze"]
    assert all(each.detail for each in seen.findings)
    assert all("\n" not in each.detail for each in seen.findings)


@pytest.mark.parametrize("code", list(FindingCode), ids=str)
def test_every_finding_has_a_case_that_shows_it(code: FindingCode) -> None:
    file = CASES / f"{code}.yaml"
    assert file.exists(), (
        f"add tests/cases/observe/{code}.yaml: a tree that has the finding, and a tree that almost has it "
        '(tests/observe/trees.py describes the keys). CONTRIBUTING.md, "Add a finding", lists all steps.'
    )
    documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    shown = {text.split(" ")[0] for each in documents for text in each["findings"]}
    assert code in shown, f"no tree of tests/cases/observe/{code}.yaml has the finding {code}: detect it in {DETECTORS}"
