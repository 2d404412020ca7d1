"""What an apply says about each way in which an environment can end, and the line about environments that match."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.events import EnvironmentFinished, Failure, Notice, Status
from reconciler.plan.model import Action
from reconciler.render.event_text import finished_lines, is_unsuccessful, notice_line, outcome_text
from reconciler.render.notes import note_notices
from reconciler.render.style import Palette
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


FAILURE = Failure(code="hook-failed", message="it failed", hint="look at it", details=("first\n\tsecond",))
FAILURE_LINES = ["    first", "        second", "  hint: look at it"]
BRIEF = Failure(code="hook-failed", message="it failed", hint="")
FINISHED: list[tuple[Status, dict[str, Any], list[str], list[str]]] = [
    (Status.APPLIED, {}, [], ["web: updated in 1.2s (generation 2)"]),
    (Status.APPLIED, {}, ["one", "", "two\x1b"], ["web: updated in 1.2s (generation 2, one, two\\x1b)"]),
    (Status.APPLIED, {"generation": 0, "seconds": 0, "action": Action.DELETE}, [], ["web: deleted"]),
    (Status.APPLIED, {"action": Action.NO_OP}, [], ["web: done in 1.2s (generation 2)"]),
    (Status.STAGED, {"staged": 3}, ["one"], ["web: staged in 1.2s (generation 3, one)"]),
    (Status.UNCHANGED, {}, ["one"], ["web: unchanged in 1.2s"]),
    (Status.FAILED, {"failure": FAILURE}, ["one"], ["web: failed in 1.2s: it failed", *FAILURE_LINES]),
    (Status.FAILED, {"failure": BRIEF}, [], ["web: failed in 1.2s: it failed"]),
    (Status.FAILED, {}, ["one"], ["web: failed in 1.2s"]),
    (Status.HOOK_FAILED, {"failure": FAILURE}, [], ["web: updated in 1.2s, but it failed", *FAILURE_LINES]),
    (Status.HOOK_FAILED, {}, [], ["web: updated in 1.2s, but a hook failed"]),
    (Status.UNHEALTHY, {"failure": BRIEF}, [], ["web: updated in 1.2s, but it failed"]),
    (Status.ROLLED_BACK, {"failure": BRIEF}, [], ["web: rolled back in 1.2s: it failed"]),
    (Status.INTERRUPTED, {"failure": BRIEF}, ["one"], ["web: interrupted in 1.2s"]),
    (Status.INTERRUPTED, {"failure": FAILURE}, [], ["web: interrupted in 1.2s: it failed", *FAILURE_LINES]),
]


@pytest.mark.parametrize(("status", "more", "details", "lines"), FINISHED)
def test_a_finished_environment_has_a_line_and_the_details_of_its_failure(
    status: Status, more: dict[str, Any], details: list[str], lines: list[str]
) -> None:
    usual = {"action": Action.UPDATE, "generation": 2, "seconds": 1.2, **more}
    event = EnvironmentFinished(environment="web", status=status, **usual)
    assert finished_lines(event, details, Palette.plain()) == lines
    assert finished_lines(event, details, Palette.plain(), mark="x") == [f"x {lines[0]}", *lines[1:]]


def test_a_notice_has_its_environment_if_it_is_about_one() -> None:
    palette = Palette.plain()
    assert notice_line(Notice(message="it runs", environment=""), palette) == "note: it runs"
    assert notice_line(Notice(message="it runs", environment="web"), palette) == "note: web: it runs"


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
