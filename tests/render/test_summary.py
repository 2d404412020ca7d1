"""The closing line of a plan and of a check: every count that there is, and what is said if nothing differs."""

from dataclasses import replace
from pathlib import PurePath

import pytest

from reconciler.events import EnvironmentFinished, RunFinished, Status
from reconciler.plan.model import Plan
from reconciler.render.style import Palette
from reconciler.render.summary import check_summary, plan_summary, report_summary, run_summary
from tests.plan.build import world
from tests.render.reports import CASES, plan_of, report_of

COLORED = Palette.chosen(color=True)


def unchanged(number: int, *, held: int = 0) -> Plan:
    """Return the plan of some environments that match their manifest; the first ones are held, which is allowed."""
    same = {f"env-{each}": {"packages": {"six": "1.0"}} for each in range(number)}
    holds = {name: {**each, "hold": "INC-42"} if at < held else each for at, (name, each) in enumerate(same.items())}
    return replace(world({"manifest": same, "applied": holds}).plan(), held_allowed=True)


@pytest.mark.parametrize(
    ("name", "plan", "check"),
    [
        (
            "render/outcomes",
            "Plan: 3 to create, 6 to update, 4 blocked, 1 held, 1 unchanged.",
            "Check: 8 pending, 2 drift+pending, 4 blocked, 1 unchanged.",
        ),
        (
            "render/held",
            "Plan: 1 blocked, 3 held.",
            "Check: 1 drifted, 1 blocked, 2 held.",
        ),
        ("plan/files-drifted", "Plan: 1 to update.", "Check: 1 drifted."),
        ("plan/new", "Plan: 2 to create.", "Check: 2 pending."),
    ],
)
def test_every_count_that_is_not_zero_is_in_the_line(name: str, plan: str, check: str) -> None:
    made = plan_of(CASES / f"{name}.yaml")
    assert (plan_summary(made, "envs.yaml"), check_summary(made, "envs.yaml")) == (plan, check)


@pytest.mark.parametrize(
    ("number", "held", "match"),
    [
        (0, 0, "No environments are declared in `envs.yaml`."),
        (1, 0, "1 environment matches `envs.yaml`."),
        (2, 0, "2 environments match `envs.yaml`."),
        (2, 1, "1 environment matches `envs.yaml`, 1 is held."),
        (2, 2, "0 environments match `envs.yaml`, 2 are held."),
    ],
)
def test_without_a_difference_the_environments_that_match_are_counted(number: int, held: int, match: str) -> None:
    made = unchanged(number, held=held)
    assert plan_summary(made, "envs.yaml") == f"No changes. {match}"
    assert check_summary(made, "envs.yaml") == f"No drift. {match}"


def test_a_revision_is_named() -> None:
    made = replace(unchanged(1), against="origin/main")
    assert plan_summary(made, "envs.yaml") == "No changes. 1 environment matches `envs.yaml` at `origin/main`."


@pytest.mark.parametrize(
    ("only", "number", "line"),
    [
        ("drift", 1, "No drift. 1 environment was checked."),
        ("drift", 2, "No drift. 2 environments were checked."),
        ("pending", 2, "No pending changes. 2 environments were checked."),
    ],
)
def test_a_filtered_plan_does_not_say_that_all_matches(only: str, number: int, line: str) -> None:
    assert check_summary(replace(unchanged(number), only=only), "envs.yaml") == line
    assert check_summary(replace(unchanged(number, held=1), only=only), "envs.yaml") == line


@pytest.mark.parametrize(
    ("status", "interrupted", "color"),
    [(Status.APPLIED, False, "32"), (Status.STAGED, False, "32"), (Status.FAILED, False, "1;31"), (None, True, "33")],
)
def test_the_closing_line_of_an_apply_has_the_color_of_its_outcome(
    status: Status | None, interrupted: bool, color: str
) -> None:
    ends = [EnvironmentFinished(environment="web", status=each, action="update") for each in [status] if each]
    line = run_summary(RunFinished(environments=tuple(ends), interrupted=interrupted), COLORED)
    assert line.startswith(f"\x1b[{color}m")
    assert line.endswith(".\x1b[0m")


def test_a_report_has_the_line_of_its_command() -> None:
    made = plan_of(CASES / "plan" / "files-drifted.yaml")
    result = RunFinished(environments=())
    name = PurePath(report_of(made).file).name
    assert report_summary(report_of(made, command="plan")) == plan_summary(made, name)
    assert report_summary(report_of(made, command="check")) == check_summary(made, name)
    assert report_summary(report_of(made, command="apply", result=result)) == "Nothing to apply."
