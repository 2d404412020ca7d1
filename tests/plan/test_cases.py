"""Every case of tests/cases/plan: its manifest, lock, last applied and actual state give exactly its plan."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.diff.settings import desired_digest
from reconciler.plan.model import Action, Plan
from reconciler.plan.prior import prior
from tests.plan.build import World, world
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
    inputs = world(case)
    plan = inputs.plan()
    assert shown(plan) == case["plan"]
    check_values_that_are_not_shown(plan, inputs)
    if "result" in case:
        assert shown_result(plan) == case["result"]


def check_values_that_are_not_shown(plan: Plan, inputs: World) -> None:
    """Check those values of every environment that `shown` leaves out: they follow from the inputs."""
    for each in plan.environments:
        actual, target = inputs.actual.environments[each.name], each.target
        assert (each.path, each.generation) == (f"{plan.root}/{each.name}", actual.generation)
        assert each.prior == prior(actual, target.interpreter if target else None)
        assert each.desired == (desired_digest(target) if target else "")
        if target:
            assert target is inputs.targets[each.name]
            assert each.package_count == len(target.packages or ())
        elif each.staged:
            assert each.package_count == len(inputs.staged[each.name].applied.packages)
        elif each.action is Action.DELETE:
            assert each.package_count == len(actual.distributions)
        applied = inputs.applied.get(each.name)
        if each.python_before and applied and applied.generation:
            assert each.python_before == applied.interpreter.version
        if each.hold:
            assert applied
            assert each.hold == applied.hold
