"""The result of an apply: in which order environments run, what a failure refuses, and how each one ended."""

import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from reconciler.apply.environment import EnvironmentRun
from reconciler.apply.schedule import _after_rename, _refusal, _status_of, _waits_for, apply_plan
from reconciler.diff.model import Origin, Reason, ReasonCode
from reconciler.errors import (
    ApplyError,
    EnvsyncError,
    HealthError,
    HookChangedError,
    HookError,
    ProbeError,
    RolledBackError,
)
from reconciler.events import (
    EnvironmentFinished,
    Event,
    Failure,
    RunFinished,
    RunStarted,
    Status,
    StepFinished,
    StepStarted,
)
from reconciler.manifest.desired import CommandProbe, Health
from reconciler.plan.model import Action, EnvironmentPlan, Step, StepKind
from reconciler.state.hold import Hold
from tests.apply.bench import Bench
from tests.apply.bench import bench as bench

HOLD = Hold(reason="INC-42", by="alice", since="2026-11-30T09:12:00+00:00")
LOCK_FAILURE = Failure(code="resolve-failed", message="no version of six", hint="change it")
PASSES, FAILS = StepKind.BEFORE_DELETE, StepKind.RECORD  # of an environment that was never applied


def planned(name: str, *kinds: StepKind, after: tuple[str, ...] = (), **more: Any) -> EnvironmentPlan:
    steps = tuple(Step(id=f"{name}/{each.value}", kind=each, environment=name, after=after) for each in kinds)
    given = {"name": name, "path": f"/envs/{name}", "action": Action.UPDATE, "steps": steps, "generation": 3, **more}
    return EnvironmentPlan(**given)


def ended(name: str, status: Status, **more: Any) -> EnvironmentFinished:
    return EnvironmentFinished(**{"environment": name, "status": status, "action": "update", "generation": 3, **more})


def applied(bench: Bench, *environments: EnvironmentPlan) -> RunFinished:
    """Apply the environments, one after the other; all seconds are 0 in the result and in the events."""
    context = bench.context(environments[0])
    result = apply_plan(replace(context, plan=replace(context.plan, environments=environments), stop=context.stop))
    for number, event in enumerate(bench.events):
        if isinstance(event, StepFinished | EnvironmentFinished):
            bench.events[number] = replace(event, seconds=0.0)
    return replace(result, environments=tuple(replace(each, seconds=0.0) for each in result.environments))


def failed(name: str) -> Failure:
    return Failure(code="apply", message=f"{name}: nothing was applied, so there is nothing to record", hint="")


def blocked(name: str, reason: ReasonCode, message: str, **more: Any) -> EnvironmentFinished:
    failure = Failure(code=reason, message=message, hint="")
    return ended(name, Status.BLOCKED, reason=reason, failure=failure, **more)


def test_independent_environments_are_applied_although_another_failed(bench: Bench) -> None:
    found = applied(bench, planned("a", FAILS, PASSES), planned("b", PASSES), planned("c", PASSES, after=("b/record",)))
    finished = (ended("a", Status.FAILED, failure=failed("a")), ended("b", Status.APPLIED), ended("c", Status.APPLIED))
    assert found == RunFinished(environments=finished)
    assert bench.events == [
        RunStarted(plan="sha256:plan", project="acme", environments=("a", "b", "c")),
        StepStarted(environment="a", step=FAILS),
        finished[0],
        StepStarted(environment="b", step=PASSES),
        StepFinished(environment="b", step=PASSES, seconds=0.0),
        finished[1],
        StepStarted(environment="c", step=PASSES),
        StepFinished(environment="c", step=PASSES, seconds=0.0),
        finished[2],
    ]


def test_what_depends_on_a_failed_environment_is_blocked_and_so_is_what_depends_on_that(bench: Bench) -> None:
    found = applied(
        bench,
        planned("a", PASSES, after=("b/record",)),
        planned("b", PASSES, after=("c/record", "d/record")),
        planned("c", FAILS),
        planned("d", FAILS),
    )
    assert found.environments == (
        blocked("a", ReasonCode.DEPENDENCY_FAILED, "it depends on `b`"),
        blocked("b", ReasonCode.DEPENDENCY_FAILED, "it depends on `c`, `d`"),
        ended("c", Status.FAILED, failure=failed("c")),
        ended("d", Status.FAILED, failure=failed("d")),
    )
    assert [each.environment for each in bench.events if isinstance(each, EnvironmentFinished)] == ["c", "d", "b", "a"]


def test_environments_without_work_are_in_the_result_and_begin_nothing(bench: Bench) -> None:
    reason = Reason(code=ReasonCode.PREVENT_DESTROY, origin=Origin.PENDING, message="it is protected")
    found = applied(
        bench,
        planned("failed", failure=LOCK_FAILURE),
        planned("held", hold=HOLD),
        planned("left"),
        planned("refused", PASSES, blocked=(reason, replace(reason, message="another reason"))),
        planned("same", action=Action.NO_OP),
        planned("staged", staged=4),
    )
    assert found.environments == (
        ended("failed", Status.BLOCKED, reason=ReasonCode.LOCK_FAILED, failure=LOCK_FAILURE),
        ended("held", Status.HELD),
        ended("left", Status.LEFT),
        blocked("refused", ReasonCode.PREVENT_DESTROY, "it is protected"),
        ended("same", Status.UNCHANGED, action=Action.NO_OP),
        ended("staged", Status.UNCHANGED),
    )
    assert bench.events == [RunStarted(plan="sha256:plan", project="acme", environments=())]


def test_an_interrupted_run_begins_no_step(bench: Bench) -> None:
    bench.interrupted = True
    found = applied(bench, planned("a", PASSES))
    failure = Failure(code="interrupted", message="interrupted; every environment is either old or new", hint="")
    assert found == RunFinished(environments=(ended("a", Status.INTERRUPTED, failure=failure),), interrupted=True)


def test_the_published_generation_is_in_the_result(bench: Bench) -> None:
    built = bench.run(StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL, StepKind.PUBLISH, StepKind.RECORD).plan
    assert applied(bench, built).environments == (ended("web", Status.APPLIED, generation=1),)
    staged = bench.run(StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL, StepKind.STAGE).plan
    found = applied(bench, replace(staged, generation=1))
    assert found.environments == (ended("web", Status.STAGED, generation=1, staged=2),)
    deleted = planned("web", StepKind.UNPUBLISH, StepKind.FORGET, action=Action.DELETE, generation=1)
    assert applied(bench, deleted).environments == (ended("web", Status.APPLIED, action=Action.DELETE, generation=0),)


def test_a_failure_says_whether_the_generation_is_published_and_only_a_failed_probe_keeps_it(bench: Bench) -> None:
    built, not_staged = (StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL), StepKind.VERIFY_STAGED
    failure = Failure(code="apply", message="generation 9 of `web` is no longer staged", hint="run `envsync apply web`")
    late = replace(bench.run(*built, StepKind.PUBLISH, not_staged).plan, staged=9)
    message = f"{failure.message} (the new generation is already published)"
    expected = ended("web", Status.FAILED, generation=1, failure=replace(failure, message=message))
    assert applied(bench, late).environments == (expected,)
    early = replace(bench.run(*built, not_staged).plan, staged=9, generation=1)
    assert applied(bench, early).environments == (ended("web", Status.FAILED, generation=1, failure=failure),)
    assert bench.state.layout.generation_numbers("web") == [1]
    probe = CommandProbe(argv=("false",), timeout=60)
    probed = replace(bench.run(*built, StepKind.PROBE, probes=(probe,)).plan, generation=1)
    [found] = applied(bench, probed).environments
    assert (found.status, found.generation) == (Status.FAILED, 1)
    assert cast("Failure", found.failure).message == "probe `false` failed with exit code 1"
    assert bench.state.layout.generation_numbers("web") == [1, 2]
    deleted = planned("web", StepKind.UNPUBLISH, not_staged, action=Action.DELETE, staged=9)
    [found] = applied(bench, deleted).environments
    message = f"{failure.message} (the environment's path is already removed)"
    assert found == ended(
        "web", Status.FAILED, action="delete", generation=0, failure=replace(failure, message=message)
    )


def test_a_record_that_cannot_be_read_is_a_failure_of_its_environment_only(bench: Bench) -> None:
    bench.applied()
    bench.state.layout.record("web").write_text("{")
    web, job = applied(bench, planned("web", PASSES), planned("job", PASSES)).environments
    assert (web.status, cast("Failure", web.failure).code) == (Status.FAILED, "state-damaged")
    assert job == ended("job", Status.APPLIED)


TRIAL = (*(StepKind.BUILD, StepKind.VERIFY, StepKind.SEAL, StepKind.PUBLISH, StepKind.RECORD), StepKind.TRIAL)


def test_after_a_rollback_the_result_has_the_generation_that_is_published_again(bench: Bench) -> None:
    bench.applied()
    health = Health(argv=("false",), seconds=0.0, timeout=60.0, otherwise="rollback")
    [found] = applied(bench, replace(bench.run(*TRIAL, health=health).plan, generation=1)).environments
    assert (found.status, found.generation) == (Status.ROLLED_BACK, 1)
    assert cast("Failure", found.failure).message.endswith("generation 1 is published again, generation 2 is kept")


def test_a_trial_occupies_no_thread_that_another_environment_needs(bench: Bench, tmp_path: Path) -> None:
    def emit(event: Event) -> None:
        if isinstance(event, EnvironmentFinished) and event.environment == "job":
            (tmp_path / "job-is-finished").touch()

    health = Health(
        argv=("test", "-e", str(tmp_path / "job-is-finished")), seconds=60.0, timeout=60.0, otherwise="keep"
    )
    web = bench.run(*TRIAL, health=health).plan
    context = bench.context(web)
    plan = replace(context.plan, environments=(web, planned("job", PASSES)))
    result = apply_plan(replace(context, plan=plan, emit=emit, stop=context.stop))
    assert [each.status for each in result.environments] == [Status.APPLIED, Status.APPLIED]


@pytest.mark.parametrize(("parallelism", "together", "seconds"), [(1, 1, 0.2), (2, 3, 60.0)])
def test_one_environment_more_than_may_build_is_applied_at_a_time_or_only_one(
    parallelism: int, together: int, seconds: float, bench: Bench
) -> None:
    plans = tuple(planned(name, PASSES) for name in "abc")
    all_begun = threading.Barrier(len(plans))
    begun: list[str] = []

    def emit(event: Event) -> None:
        if isinstance(event, StepStarted):
            begun.append(event.environment)
            with suppress(threading.BrokenBarrierError):
                all_begun.wait(seconds)
        if isinstance(event, EnvironmentFinished):
            finished.append(len(begun))

    finished: list[int] = []
    context = bench.context(plans[0])
    options = replace(context.options, parallelism=parallelism)
    apply_plan(replace(context, plan=replace(context.plan, environments=plans), options=options, emit=emit))
    assert finished[0] == together, "so many had begun when the first was finished"


@pytest.mark.parametrize(
    ("error", "update", "delete"),
    [
        (RolledBackError("", hint=None), Status.ROLLED_BACK, Status.ROLLED_BACK),
        (HealthError("", hint=None), Status.UNHEALTHY, Status.UNHEALTHY),
        (HookError("", hint=None), Status.HOOK_FAILED, Status.FAILED),
        (HookChangedError("", hint=None), Status.HOOK_FAILED, Status.FAILED),
        (ProbeError("", hint=None), Status.FAILED, Status.FAILED),
        (ApplyError("", hint=None), Status.FAILED, Status.FAILED),
        (OSError(""), Status.FAILED, Status.FAILED),
    ],
)
def test_how_an_environment_ended_depends_on_the_error(
    error: EnvsyncError | OSError, update: Status, delete: Status
) -> None:
    assert _status_of(error, planned("a")) is update
    assert _status_of(error, planned("a", action=Action.DELETE)) is delete


@pytest.mark.parametrize(
    ("begun", "renamed", "suffix"),
    [
        (False, False, ""),
        (False, True, " (the environment is already renamed)"),
        (True, False, " (the rename has begun, and the next command that changes this root finishes it)"),
    ],
)
def test_an_error_says_how_far_a_rename_is(begun: bool, renamed: bool, suffix: str, bench: Bench) -> None:
    run = EnvironmentRun(planned("a"), bench.context(planned("a")))
    run.rename_begun, run.renamed = begun, renamed
    assert _after_rename(run) == suffix


def test_only_other_environments_with_work_are_waited_for() -> None:
    work = {name: planned(name, PASSES) for name in ("a", "b")}
    after = ("a/build", "b/record", "c/record")
    assert _waits_for(planned("a", PASSES, FAILS, after=after), work) == {"b"}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (Status.FAILED, "failed"),
        (Status.HOOK_FAILED, "has a failed hook"),
        (Status.UNHEALTHY, "is not healthy"),
        (Status.ROLLED_BACK, "was rolled back"),
        (Status.BLOCKED, "is blocked"),
        (Status.INTERRUPTED, "was interrupted"),
        (Status.APPLIED, ""),
        (Status.STAGED, ""),
        (Status.LEFT, ""),
        (Status.UNCHANGED, ""),
    ],
)
def test_a_deletion_waits_for_every_change_and_depends_on_other_deletions_only(status: Status, outcome: str) -> None:
    deletion = planned("old", PASSES, action=Action.DELETE)
    work = {"new": planned("new", PASSES), "other": planned("other", PASSES), "gone": replace(deletion, name="gone")}

    def refused(each: EnvironmentPlan, **statuses: Status) -> EnvironmentFinished | None:
        return _refusal(each, set(statuses), work, {name: ended(name, found) for name, found in statuses.items()})

    found = refused(deletion, new=status, gone=Status.APPLIED)
    waits = blocked("old", ReasonCode.DELETES_WAIT, f"not deleted: `new` {outcome}", action="delete")
    assert found == (waits if outcome else None)
    found = refused(deletion, new=status, other=Status.FAILED)
    assert found is not None
    expected = "`new`, `other` failed" if status is Status.FAILED else f"`new` {outcome}, `other` failed"
    assert cast("Failure", found.failure).message == f"not deleted: {expected if outcome else '`other` failed'}"
    found = refused(deletion, gone=status)
    depends = blocked("old", ReasonCode.DEPENDENCY_FAILED, "it depends on `gone`", action="delete")
    assert found == (depends if outcome else None)
    found = refused(work["new"], other=status)
    assert found == (blocked("new", ReasonCode.DEPENDENCY_FAILED, "it depends on `other`") if outcome else None)
