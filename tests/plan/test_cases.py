"""Every case of tests/cases/plan: its manifest, lock, last applied and actual state give exactly its plan."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.plan.build import world
from tests.plan.shown import shown, shown_result

CASES = sorted((Path(__file__).parent.parent / "cases" / "plan").glob("*.yaml"))
KEYS = {
    "about",
    "manifest",
    "applied",
    "actual",
    "policy",
    "staged",
    "keep_deleted",
    "conflicts",
    "declared",
    "selected",
    "unreadable",
    "plan",
    "result",
}


def load(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    assert case.keys() <= KEYS, path.name
    return case


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case_gives_exactly_this_plan(path: Path) -> None:
    case = load(path)
    plan = world(case).plan()
    assert shown(plan) == case["plan"]
    if "result" in case:
        assert shown_result(plan) == case["result"]
