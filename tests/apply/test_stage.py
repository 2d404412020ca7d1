"""Which staged generations lose their mark after an apply: those that it did not need."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.apply.stage import discard_unneeded
from reconciler.events import EnvironmentFinished, Status
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from reconciler.observe.actual import Depth
from reconciler.plan.model import Plan, PlanRequest, Policy
from reconciler.state.staged import StagedNote, write_staged
from reconciler.state.store import State
from tests.state.records import applied, publish, sealed

NOTE = StagedNote(desired="", prior="", action="", reasons=(), drifted=False, staged=dt.datetime.now(dt.UTC))
OWNER = "../envs.yaml"
STAGED = ("done", "same", "failed", "gone", "theirs", "moved", "live")


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Return a root with staged generations: of this manifest, another project, another manifest, a published one."""
    state = State.at(tmp_path)
    for name in STAGED:
        project = "other" if name == "theirs" else "acme"
        manifest = "../elsewhere.yaml" if name == "moved" else OWNER
        for number in (1, 2):
            sealed(state.layout, applied(name, number, project=project, manifest=manifest))
        write_staged(state.layout, name, 2, NOTE)
    publish(state.layout, "live", 1)
    return state


def left(state: State, policy: Policy, *, selected: bool = False) -> set[str]:
    """Return the names whose generation is still staged after an apply."""
    desired = DesiredState(
        project="acme",
        file=Path("envs.yaml"),
        root=state.layout.root,
        locks=Path("locks"),
        digest="",
        environments=tuple(DesiredEnvironment(name=name, python="3.11") for name in ("done", "same", "failed")),
        declared=frozenset({"done", "same", "failed"}),
        selected=selected,
    )
    plan = Plan(
        project="acme",
        root="",
        manifest="",
        locks={},
        depth=Depth.FILES,
        environments=(),
        asked=PlanRequest(policy=policy),
    )
    statuses = {"done": Status.APPLIED, "same": Status.UNCHANGED, "failed": Status.FAILED}
    finished = tuple(
        EnvironmentFinished(environment=name, status=status, action="update") for name, status in statuses.items()
    )
    discard_unneeded(plan, desired, finished, state, OWNER)
    return {name for name in STAGED if state.layout.generation(name, 2).staged.exists()}


def test_what_was_applied_or_is_no_longer_declared_is_not_staged_any_more(state: State) -> None:
    assert left(state, Policy()) == {"failed", "theirs", "moved", "live"}


def test_with_selected_environments_others_stay_staged(state: State) -> None:
    assert left(state, Policy(), selected=True) == {"failed", "gone", "theirs", "moved", "live"}


@pytest.mark.parametrize(
    "policy", [Policy(stage=True), Policy(publish=frozenset({"web"})), Policy(destroy=frozenset({"web"}))]
)
def test_an_apply_that_stages_publishes_or_destroys_discards_nothing(state: State, policy: Policy) -> None:
    assert left(state, policy) == set(STAGED)
    assert left(state, replace(policy, stage=False, publish=frozenset(), destroy=frozenset())) != set(STAGED)
