"""Schedule a plan's environments: run independent ones at the same time, each after those that its steps wait for."""

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from reconciler.apply.context import ApplyContext
from reconciler.apply.environment import EnvironmentRun
from reconciler.backticks import list_in_backticks
from reconciler.diff.findings import SHOWN
from reconciler.diff.model import ReasonCode
from reconciler.errors import (
    EnvsyncError,
    HealthError,
    HookError,
    InterruptedByUserError,
    ProbeError,
    RolledBackError,
)
from reconciler.events import EnvironmentFinished, Failure, RunFinished, RunStarted, Status, StepFinished, StepStarted
from reconciler.fs.os_error_hint import os_error_hint
from reconciler.plan.model import Action, EnvironmentPlan, Step, StepKind


def apply_plan(context: ApplyContext) -> RunFinished:
    """Apply every environment of the plan that has steps and is not blocked; emit events; return the result.

    The failure of an environment is in the result and is not raised. The others continue, except for those that depend
    on it and all deletions: they are blocked. The caller emits the result, which is the last event.
    """
    plan = context.plan
    work = {each.name: each for each in plan.environments if each.steps and not each.blocked}
    context.emit(RunStarted(plan=context.plan_id, project=plan.project, environments=tuple(work)))
    done: dict[str, EnvironmentFinished] = {}
    for each in plan.environments:
        if each.failure is not None:
            done[each.name] = _blocked(each, ReasonCode.LOCK_FAILED, each.failure)
        elif each.blocked:
            first = each.blocked[0]
            done[each.name] = _refused(each, first.code, first.message)
        elif each.hold is not None:
            done[each.name] = EnvironmentFinished(
                environment=each.name, status=Status.HELD, action=each.action, generation=each.generation
            )
        elif not each.steps:
            left = each.action is not Action.NO_OP and not each.staged  # by `--stage`
            done[each.name] = EnvironmentFinished(
                environment=each.name,
                status=Status.LEFT if left else Status.UNCHANGED,
                action=each.action,
                generation=each.generation,
            )
    waits = {name: _waits_for(each, work) for name, each in work.items()}
    pending = dict(work)
    running: dict[Future[EnvironmentFinished], str] = {}
    # One more thread than may build: it verifies while the others build. With a parallelism of 1 there is one thread.
    workers = context.options.parallelism + 1 if context.options.parallelism > 1 else 1
    # A trial mostly waits, so it must not occupy a thread that others need.
    workers += sum(step.kind is StepKind.TRIAL for each in work.values() for step in each.steps)
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="apply") as pool:
        while pending or running:
            for name in [name for name in pending if waits[name] <= done.keys()]:
                each = pending.pop(name)
                refusal = _refusal(each, waits[name], work, done)
                if refusal is not None:
                    done[name] = refusal
                    context.emit(refusal)
                else:
                    running[pool.submit(_apply_one, each, context)] = name
            if running:
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    done[running.pop(future)] = future.result()
    return RunFinished(
        environments=tuple(done[each.name] for each in plan.environments), interrupted=context.stop.is_set()
    )


_SUCCEEDED = frozenset({Status.APPLIED, Status.STAGED, Status.LEFT, Status.UNCHANGED})


def _waits_for(each: EnvironmentPlan, work: dict[str, EnvironmentPlan]) -> set[str]:
    """Return the names of the other environments that a step of this one waits for."""
    others = {after.rpartition("/")[0] for step in each.steps for after in step.after}
    return {name for name in others if name != each.name and name in work}


def _refusal(
    each: EnvironmentPlan,
    waited_for: set[str],
    work: dict[str, EnvironmentPlan],
    done: dict[str, EnvironmentFinished],
) -> EnvironmentFinished | None:
    """Return the result of an environment that cannot be applied because others were not; None if it can.

    A deletion depends on other deletions only, but it waits until every change succeeded: what takes the place of the
    deleted environment must exist first.
    """
    unsuccessful = sorted(name for name in waited_for if done[name].status not in _SUCCEEDED)
    changes = [name for name in unsuccessful if each.action is Action.DELETE and work[name].action is not Action.DELETE]
    if changes:
        outcomes: dict[str, list[str]] = {_NOT_APPLIED[done[name].status]: [] for name in changes}
        for name in changes:
            outcomes[_NOT_APPLIED[done[name].status]].append(name)
        why = ", ".join(f"{list_in_backticks(names, most=SHOWN)} {outcome}" for outcome, names in outcomes.items())
        return _refused(each, ReasonCode.DELETES_WAIT, f"not deleted: {why}")
    if unsuccessful:
        return _refused(each, ReasonCode.DEPENDENCY_FAILED, f"it depends on {list_in_backticks(unsuccessful)}")
    return None


_NOT_APPLIED = {
    Status.FAILED: "failed",
    Status.HOOK_FAILED: "has a failed hook",
    Status.UNHEALTHY: "is not healthy",
    Status.ROLLED_BACK: "was rolled back",
    Status.BLOCKED: "is blocked",
    Status.INTERRUPTED: "was interrupted",
}


def _apply_one(each: EnvironmentPlan, context: ApplyContext) -> EnvironmentFinished:
    """Take one environment through its steps; a failure ends it and is returned, never raised."""
    run = EnvironmentRun(each, context)
    began = time.monotonic()
    failure: Failure | None = None
    status = Status.APPLIED
    step = each.steps[0]
    try:
        run.begin()
        for step in each.steps:
            context.emit(StepStarted(environment=each.name, step=step.kind))
            started = time.monotonic()
            detail = run.perform(step)
            seconds = time.monotonic() - started
            context.emit(StepFinished(environment=each.name, step=step.kind, seconds=seconds, detail=detail))
        if step.kind is StepKind.STAGE:
            status = Status.STAGED
    except InterruptedByUserError as error:
        status, failure = Status.INTERRUPTED, _failure(error, step)
        run.abandon()
    except (EnvsyncError, OSError) as error:
        status = Status.INTERRUPTED if context.stop.is_set() and not run.published else _status_of(error, each)
        changed = run.published and not run.rolled_back_to
        suffix = _AFTER_CHANGE[each.action is Action.DELETE] if changed else _after_rename(run)
        failure = _failure(error, step, suffix=suffix)
        if status is Status.INTERRUPTED or not isinstance(error, ProbeError):  # after a failed probe: for inspection
            run.abandon()
    number = run.generation.number if run.generation and run.published else each.generation
    number = run.rolled_back_to or number
    finished = EnvironmentFinished(
        environment=each.name,
        status=status,
        action=each.action,
        generation=0 if each.action is Action.DELETE and run.published else number,
        staged=run.generation.number if run.generation is not None and status is Status.STAGED else 0,
        seconds=time.monotonic() - began,
        failure=failure,
    )
    context.emit(finished)
    return finished


def _after_rename(run: EnvironmentRun) -> str:
    """Return what an error says about a rename that cannot be taken back; an empty string if there is none."""
    if run.rename_begun:
        return " (the rename has begun, and the next command that changes this root finishes it)"
    return " (the environment is already renamed)" if run.renamed else ""


def _status_of(error: EnvsyncError | OSError, each: EnvironmentPlan) -> Status:
    """Return how an environment ended that failed with `error`."""
    match error:
        case RolledBackError():
            return Status.ROLLED_BACK
        case HealthError():
            return Status.UNHEALTHY
        case HookError() if each.action is not Action.DELETE:
            return Status.HOOK_FAILED
        case _:
            return Status.FAILED


_AFTER_CHANGE = {  # by whether the environment is deleted
    False: " (the new generation is already published)",
    True: " (the environment's path is already removed)",
}


def _failure(error: EnvsyncError | OSError, step: Step, *, suffix: str = "") -> Failure:
    """Return what failed, and where; `suffix` ends the message if the environment's path was already changed."""
    if isinstance(error, EnvsyncError):
        return Failure.of(error, suffix=suffix)
    where = error.filename or f"step `{step.kind.value}`"
    hint = os_error_hint(error) or ""
    return Failure(code="os-error", message=f"{where}: {error.strerror or error}{suffix}", hint=hint)


def _refused(each: EnvironmentPlan, reason: ReasonCode, message: str) -> EnvironmentFinished:
    """Return the result of an environment that is blocked for `reason`, which is its failure too."""
    return _blocked(each, reason, Failure(code=reason, message=message, hint=""))


def _blocked(each: EnvironmentPlan, reason: ReasonCode, failure: Failure) -> EnvironmentFinished:
    """Return the result of an environment for which nothing was done."""
    return EnvironmentFinished(
        environment=each.name,
        status=Status.BLOCKED,
        action=each.action,
        reason=reason,
        generation=each.generation,
        failure=failure,
    )
