"""Performing a plan: what is refused before it, and what follows the last step: history, hashes, collection, result."""

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.collect import Removable
from reconciler.apply.context import ApplyOptions
from reconciler.apply.perform import ApplyRequest, _collect_failure, perform, refuse_if_changed
from reconciler.diff.model import Origin, Reason, ReasonCode
from reconciler.errors import PlanFileError
from reconciler.events import Event, Failure, Notice, RunFinished, RunStarted, Status
from reconciler.fs.access_bits import root_bits
from reconciler.manifest.desired import Access, DesiredEnvironment, DesiredState
from reconciler.observe.actual import Depth
from reconciler.observe.environments import observe_environments
from reconciler.plan.model import Action, EnvironmentPlan, Plan, Step, StepKind
from reconciler.plan.prior import prior
from reconciler.state.applied import Applied
from reconciler.state.hold import Hold
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.layout import Generation
from reconciler.state.masking_key import read_masking_key
from tests.apply.bench import PYTHON, Bench
from tests.apply.bench import bench as bench
from tests.state.edited import make_root
from tests.state.generations import new_generation
from tests.state.records import applied

HOLD = Hold(reason="INC-42", by="alice", since="2026-11-30T09:12:00+00:00")
REVIEW = "run `envsync plan` and review what changed"
PASSES, FAILS = StepKind.BEFORE_DELETE, StepKind.RECORD  # of an environment that was never applied


def planned(name: str, *kinds: StepKind, **more: Any) -> EnvironmentPlan:
    steps = tuple(Step(id=f"{name}/{each.value}", kind=each, environment=name) for each in kinds)
    return EnvironmentPlan(**{"name": name, "path": "", "action": Action.UPDATE, "steps": steps, **more})


def requested(
    bench: Bench, *environments: EnvironmentPlan, access: Access | None = None, recheck: bool = False, **options: Any
) -> ApplyRequest:
    root = bench.state.layout.root
    names = [each.name for each in environments]
    desired = DesiredState(
        project="acme",
        file=root / "envs.yaml",
        root=root,
        locks=root / "locks",
        digest="",
        access=access,
        environments=tuple(DesiredEnvironment(name=each, python="3.11") for each in names),
        declared=frozenset(names),
    )
    plan = Plan(project="acme", root=str(root), manifest="", locks={}, depth=Depth.FILES, environments=environments)
    return ApplyRequest(
        plan=plan,
        desired=desired,
        state=bench.state,
        engine=bench.engine,
        options=ApplyOptions(parallelism=1, **options),
        ambient={"SUDO_USER": "", "USER": "alice"},
        stop=threading.Event(),
        inodes=InodeHashes.load(bench.state.layout.inode_hashes),
        recheck=recheck,
    )


def ran(request: ApplyRequest) -> tuple[RunFinished, list[Event]]:
    events: list[Event] = []
    return perform(request, events.append), events


def history(bench: Bench) -> list[dict[str, Any]]:
    """Return the runs in the history without their times and users."""
    path = bench.state.layout.history
    runs = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [{key: value for key, value in each.items() if key not in {"at", "by"}} for each in runs]


def test_the_result_is_the_last_event_and_the_history_has_what_was_done(bench: Bench) -> None:
    reasons = tuple(
        Reason(code=code, origin=Origin.PENDING, message="") for code in (ReasonCode.LOCK_CHANGED, ReasonCode.RENAMED)
    )
    refusal = Reason(code=ReasonCode.PREVENT_DESTROY, origin=Origin.PENDING, message="it is protected")
    request = requested(
        bench,
        planned("blocked", PASSES, reasons=reasons, blocked=(refusal,), generation=2),
        planned("failed", FAILS, reasons=reasons[:1], generation=3),
        planned("held", hold=HOLD),
        planned("left"),
        planned("new", PASSES, renamed_from="old", reasons=reasons, generation=4),
        planned("same", action=Action.NO_OP),
    )
    result, events = ran(request)
    assert events[-1] is result
    assert events[0] == RunStarted(plan=request.plan.id, project="acme", environments=("failed", "new"))
    assert {each.environment: each.status for each in result.environments} == {
        "blocked": Status.BLOCKED,
        "failed": Status.FAILED,
        "held": Status.HELD,
        "left": Status.LEFT,
        "new": Status.APPLIED,
        "same": Status.UNCHANGED,
    }
    common = {"action": "update", "renamed_from": ""}
    expected = [
        {"name": "blocked", "status": "blocked", "generation": 2, "reasons": ["prevent-destroy"]},
        {"name": "failed", "status": "failed", "generation": 3, "reasons": ["lock-changed"]},
        {
            "name": "new",
            "status": "applied",
            "generation": 4,
            "reasons": ["lock-changed", "renamed"],
            "renamed_from": "old",
        },
    ]
    merged = [{key: value for key, value in {**common, **each}.items() if value} for each in expected]
    assert history(bench) == [{"plan": request.plan.id, "exit_code": result.exit_code, "environments": merged}]


def test_a_run_without_a_step_has_no_history(bench: Bench) -> None:
    result, events = ran(requested(bench, planned("same", action=Action.NO_OP)))
    assert (history(bench), events) == ([], [RunStarted(plan=events[0].plan, project="acme", environments=()), result])  # type: ignore[union-attr]


def test_a_history_that_cannot_be_written_is_only_a_notice(bench: Bench) -> None:
    bench.state.layout.envsync_directory.mkdir()
    bench.state.layout.history.mkdir()
    result, events = ran(requested(bench, planned("web", PASSES)))
    assert result.exit_code == 0
    [notice] = [each for each in events if isinstance(each, Notice)]
    assert notice.message.startswith("the history has no line about this run: ")


def test_a_key_is_made_hashes_are_kept_and_wheels_are_remembered(bench: Bench) -> None:
    layout = make_root(bench.state.layout.root)
    request = requested(bench, bench.run().plan)
    request.inodes.remember(Path(PYTHON.path).stat(), b"x" * 32)
    result, _ = ran(request)
    assert result.exit_code == 0
    assert read_masking_key(layout)
    assert layout.inode_hashes.exists()
    assert layout.wheel_contents.exists()
    record = bench.state.applied("web")
    assert record is not None
    assert (record.manifest, record.project, record.prevent_destroy) == ("envs.yaml", "acme", False)


def test_the_root_gets_the_access_that_the_manifest_declares(bench: Bench) -> None:
    for access, bits in (("private", 0), ("all", 0o055)):
        ran(requested(bench, planned("web", PASSES), access=access))  # type: ignore[arg-type]
        assert root_bits(bench.state.layout.root) == bits


def unsealed(bench: Bench, name: str, count: int) -> list[Generation]:
    return [new_generation(bench.state, name) for _ in range(count)]


@pytest.mark.parametrize(
    ("options", "stopped", "left"), [({}, False, []), ({"collect": False}, False, [1, 2]), ({}, True, [1, 2])]
)
def test_generations_that_nothing_keeps_are_deleted_unless_the_run_was_stopped(
    options: dict[str, Any], stopped: bool, left: list[int], bench: Bench
) -> None:
    unsealed(bench, "web", 2)
    request = requested(bench, planned("web", PASSES), **options)
    if stopped:
        request.stop.set()
    result, _ = ran(request)
    assert result.interrupted is stopped
    assert bench.state.layout.generation_numbers("web") == left


def test_the_newest_generation_of_a_failed_environment_is_kept_for_inspection(bench: Bench) -> None:
    for name in ("web", "job"):
        unsealed(bench, name, 2)
    ran(requested(bench, planned("web", FAILS), planned("job", PASSES)))
    numbers = {name: bench.state.layout.generation_numbers(name) for name in ("web", "job")}
    assert numbers == {"web": [2], "job": []}


def test_a_generation_that_cannot_be_deleted_is_a_failure_once_and_then_a_notice(bench: Bench) -> None:
    generation, _ = unsealed(bench, "web", 2)
    (generation.directory / "adopted.json").mkdir()  # it is not a file that can be unlinked
    first, events = ran(requested(bench, planned("web", PASSES)))
    assert first.failure is not None
    start = f"`{generation.directory}` could not be deleted: adopted.json: "
    assert (first.failure.code, first.failure.message.startswith(start), first.failure.details) == (
        "gc-failed",
        True,
        (),
    )
    assert not any(isinstance(each, Notice) for each in events)
    assert events[-1] is first
    again, events = ran(requested(bench, planned("web", PASSES)))
    assert again.failure is None
    assert [each for each in events if isinstance(each, Notice)] == [
        Notice(message=first.failure.message, environment="web")
    ]


def test_a_failure_of_the_collection_names_every_generation(tmp_path: Path) -> None:
    found = [
        Removable(name="web", generation=Generation(tmp_path / str(number), number), failure="busy")
        for number in (1, 2)
    ]
    said = [f"`{tmp_path / str(number)}` could not be deleted: busy" for number in (1, 2)]
    hint = "fix the cause, then run `envsync gc`; no environment needs this generation, and later runs only note it"
    assert _collect_failure(found) == Failure(code="gc-failed", message=said[0], hint=hint, details=(said[1],))


def as_observed(bench: Bench, *environments: EnvironmentPlan) -> list[EnvironmentPlan]:
    """Return the plans with the digests of what exists now."""
    request = requested(bench, *environments)
    names = [each.name for each in environments]
    found = observe_environments(
        names, request.desired, bench.state, bench.state.last_applied(), Depth.FILES, InodeHashes()
    ).environments
    return [
        replace(
            each, prior=prior(found[each.name], PYTHON if each.target and each.action is not Action.DELETE else None)
        )
        for each in environments
    ]


def refusal(bench: Bench, environments: Sequence[EnvironmentPlan]) -> tuple[str, str | None]:
    with pytest.raises(PlanFileError) as caught:
        ran(requested(bench, *environments, recheck=True))
    return caught.value.message, caught.value.hint


def test_a_plan_is_refused_if_an_environment_that_it_changes_is_not_as_it_was(bench: Bench) -> None:
    bench.applied()
    web = bench.run(StepKind.RECORD).plan
    plans = as_observed(bench, web, planned("job", PASSES))
    refuse_if_changed(requested(bench, *plans, recheck=True))
    ran(requested(bench, *plans, recheck=True))
    (bench.state.layout.environment("web") / "added").touch()
    bench.state.layout.environment("job").mkdir()
    one = "the plan cannot be applied: `web` changed on disk since it was made"
    two = "the plan cannot be applied: `web`, `job` changed on disk since it was made"
    assert refusal(bench, plans[:1]) == (one, REVIEW)
    assert refusal(bench, plans) == (two, REVIEW)
    refused = Reason(code=ReasonCode.PREVENT_DESTROY, origin=Origin.PENDING, message="it is protected")
    refuse_if_changed(requested(bench, *(replace(each, blocked=(refused,)) for each in plans), recheck=True))
    refuse_if_changed(requested(bench, *(replace(each, steps=()) for each in plans), recheck=True))
    ran(requested(bench, *plans))


def test_the_interpreter_counts_except_for_a_deletion(bench: Bench) -> None:
    bench.applied()
    web = bench.run(StepKind.RECORD).plan
    [plan] = as_observed(bench, web)
    assert plan.target is not None
    other = replace(plan, target=replace(plan.target, interpreter=replace(PYTHON, version="3.11.8")))
    assert refusal(bench, [other])[1] == REVIEW
    [deletion] = as_observed(bench, replace(other, action=Action.DELETE))
    refuse_if_changed(requested(bench, deletion, recheck=True))


def test_a_plan_is_refused_if_an_environment_was_held_since(bench: Bench) -> None:
    first = bench.applied()
    job = applied("job", manifest="../envs.yaml")
    bench.state.record(job)
    plans = as_observed(bench, bench.run(StepKind.RECORD).plan, planned("job", PASSES))

    def hold(*records: Applied) -> None:
        for each in records:
            bench.state.record(replace(each, hold=HOLD))

    hold(first)
    held = "held after it was made"
    assert refusal(bench, plans) == (f"the plan cannot be applied: `web` was {held}", REVIEW)
    hold(job)
    assert refusal(bench, plans) == (f"the plan cannot be applied: `web`, `job` were {held}", REVIEW)
    refuse_if_changed(requested(bench, *(replace(each, hold=HOLD) for each in plans), recheck=True))
