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
