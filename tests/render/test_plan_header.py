"""The first line of a plan: the project, how many environments, the root, and what the plan is compared with."""

from dataclasses import replace

import pytest

from tests.plan.build import world
from tests.render.pictures import check_text, plan_text

PLAN = world({"manifest": {"web": {"packages": {"six": "1.0"}}}}).plan()


@pytest.mark.parametrize(
    ("against", "line"),
    [
        ("", "acme, 1 environment in .envs"),
        ("main", "acme, 1 environment in .envs, against main"),
        ("\x1b[2J", "acme, 1 environment in .envs, against \\x1b[2J"),
    ],
)
def test_the_first_line_names_the_plan(against: str, line: str) -> None:
    plan = replace(PLAN, against=against)
    assert plan_text(plan).splitlines()[0] == f"envsync plan: {line}"
    assert check_text(plan).splitlines()[0] == f"envsync check: {line}"


@pytest.mark.parametrize(
    ("names", "line"), [(["web"], "1 environment matches"), (["api", "web"], "2 environments match")]
)
def test_the_summary_counts_what_matches(names: list[str], line: str) -> None:
    spec = {name: {"packages": {"six": "1.0"}} for name in names}
    plan = world({"manifest": spec, "applied": spec, "actual": {name: {} for name in names}}).plan()
    assert plan_text(plan) == f"No changes. {line} `envs.yaml`.\n"
