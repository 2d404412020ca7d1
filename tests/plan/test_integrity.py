"""A generation compared with its seal, for `verify` and `rollback`. The cases are in tests/cases/integrity."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.diff.integrity import Integrity, check_integrity
from tests.plan.build import world

CASES = sorted((Path(__file__).parent.parent / "cases" / "integrity").glob("*.yaml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case_gives_exactly_this_integrity(path: Path) -> None:
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    inputs = world(case)
    found = {
        name: shown(check_integrity(inputs.actual.environments[name], last, "2026-01-01"))
        for name, last in inputs.applied.items()
    }
    assert found == case["integrity"]


def test_a_generation_whose_seal_was_replaced_says_so() -> None:
    case = yaml.safe_load((CASES[0].parent / "seal.yaml").read_text(encoding="utf-8"))
    inputs = world(case)
    found = [
        check_integrity(inputs.actual.environments[name], last, "2026-01-01") for name, last in inputs.applied.items()
    ]
    details = [each.detail for integrity in found for each in integrity.findings]
    assert "its seal differs from the one that was applied" in details


def shown(found: Integrity) -> Any:
    if found.intact:
        return "intact"
    if not found.exists and not found.packages:
        return "gone"
    lines = {
        "packages": [f"{each.name} {each.reason}" for each in found.packages],
        "findings": [f"{each.code} {each.path}" for each in found.findings],
    }
    return {key: value for key, value in lines.items() if value}
