"""What an apply says about each way in which an environment can end, and the line about environments that match."""

from dataclasses import replace

import pytest

from reconciler.events import EnvironmentFinished, Status
from reconciler.plan.model import Action
from reconciler.render.event_text import is_unsuccessful, outcome_text
from reconciler.render.notes import note_notices
from tests.plan.build import world
from tests.render.pictures import check_text, plan_text
from tests.render.reports import WORLDS, plan_of

OUTCOMES = {
    Status.APPLIED: ("updated", "updated in 1.2s"),
    Status.UNCHANGED: ("unchanged", "unchanged in 1.2s"),
    Status.STAGED: ("staged", "staged in 1.2s"),
    Status.LEFT: ("left", "left in 1.2s"),
    Status.HELD: ("held", "held in 1.2s"),
    Status.HOOK_FAILED: ("updated, but a hook failed", "updated in 1.2s, but a hook failed"),
    Status.UNHEALTHY: ("updated, but its health check failed", "updated in 1.2s, but its health check failed"),
    Status.ROLLED_BACK: ("rolled back", "rolled back in 1.2s"),
    Status.FAILED: ("failed", "failed in 1.2s"),
    Status.BLOCKED: ("blocked", "blocked in 1.2s"),
    Status.INTERRUPTED: ("interrupted", "interrupted in 1.2s"),
}
SUCCESSFUL = {Status.APPLIED, Status.UNCHANGED, Status.STAGED, Status.LEFT, Status.HELD}


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_its_words(status: Status) -> None:
    event = EnvironmentFinished(environment="web", status=status, action=Action.UPDATE, generation=2, seconds=1.2)
    assert (outcome_text(event), outcome_text(event, timed=True)) == OUTCOMES[status]
    assert is_unsuccessful(event) is (status not in SUCCESSFUL)


def test_every_note_is_an_event_of_the_stream_with_its_environment() -> None:
    plan = world({"manifest": {name: {"packages": {"six": "1.0"}} for name in ("api", "web")}}).plan()
    environments = tuple(
        replace(each, notes=("one", "two") if each.name == "web" else ()) for each in plan.environments
    )
    noted = replace(plan, notes=("left out",), remarks=("is running",), environments=environments)
    assert [(each.environment, each.message) for each in note_notices(noted)] == [
        ("", "left out"),
        ("", "is running"),
        ("web", "one"),
        ("web", "two"),
    ]


@pytest.mark.parametrize(
    ("held", "line"),
    [
        ((), "2 environments match `envs.yaml`."),
        (("api",), "1 environment matches `envs.yaml`, 1 is held."),
        (("api", "web"), "0 environments match `envs.yaml`, 2 are held."),
    ],
)
def test_held_environments_are_counted_apart(held: tuple[str, ...], line: str) -> None:
    spec = {name: {"packages": {"six": "1.0"}} for name in ("api", "web")}
    applied = {name: {**each, "hold": "INC-42"} if name in held else each for name, each in spec.items()}
    case = {"manifest": spec, "applied": applied, "actual": {name: {} for name in spec}}
    made = replace(world(case).plan(), held_allowed=True)
    assert check_text(made).splitlines()[-1] == f"No drift. {line}"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("finding_bad-pyvenv-cfg", "  ~ web update: pyvenv.cfg is damaged"),
        ("finding_dangling-interpreter", "  ~ web update: bin/python points to a missing interpreter"),
        ("finding_inventory-unreadable", "  ~ web update: its inventory is damaged"),
    ],
)
def test_damage_that_the_reason_describes_completely_has_no_line_of_its_own(name: str, line: str) -> None:
    [plan] = [plan_of(each) for each in WORLDS if each.stem == name]
    shown = plan_text(plan).splitlines()
    assert shown[2:] == [line, "", "Plan: 1 to update."]
