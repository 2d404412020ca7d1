"""Runs a plan's environments: independent ones side by side, each after those that its steps wait for."""

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from reconciler.apply.context import ApplyContext
from reconciler.apply.environment import EnvironmentRun
from reconciler.apply.probe import HookError, ProbeError
from reconciler.errors import EnvsyncError, InterruptedByUserError
from reconciler.events import EnvironmentFinished, Failure, RunFinished, RunStarted, Status, StepFinished, StepStarted
from reconciler.plan.model import Action, EnvironmentPlan, Step


def apply_plan(context: ApplyContext) -> RunFinished:
    """Apply every environment of the plan that has steps and is not blocked; emit events; return the last, the result.

    Nothing is raised for an environment that fails: the others go on, its dependents are blocked.
    """
    plan = context.plan
    work = {each.name: each for each in plan.environments if each.steps and not each.blocked}
    context.emit(RunStarted(plan=context.plan_id, project=plan.project, environments=tuple(work)))
    done: dict[str, EnvironmentFinished] = {}
    for each in plan.environments:
        if each.failure is not None:
            done[each.name] = _ended(each, Status.FAILED, each.failure)
        elif each.blocked:
            done[each.name] = _blocked(each, each.blocked[0].code, each.blocked[0].message)
        elif not each.steps:
            done[each.name] = EnvironmentFinished(
                environment=each.name, status=Status.UNCHANGED, action=each.action, generation=each.generation
            )
    waits = {name: _waits_for(each, work) for name, each in work.items()}
    pending = dict(work)
    running: dict[Future[EnvironmentFinished], str] = {}
    # One more than are built at once looks at what was built; but one at a time is one at a time.
    workers = context.options.parallelism + 1 if context.options.parallelism > 1 else 1
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="apply") as pool:
        while pending or running:
            for name in [name for name in pending if waits[name] <= done.keys()]:
                each = pending.pop(name)
                failed = _failed_before(each, waits[name], work, done)
                if failed:
                    done[name] = _blocked(each, "dependency-failed", f"it depends on {', '.join(failed)}")
                    context.emit(done[name])
                else:
                    running[pool.submit(_apply_one, each, context)] = name
            if running:
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    done[running.pop(future)] = future.result()
    return RunFinished(
        environments=tuple(done[each.name] for each in plan.environments), interrupted=context.stop.is_set()
    )


_WELL = frozenset({Status.APPLIED, Status.UNCHANGED})


def _waits_for(each: EnvironmentPlan, work: dict[str, EnvironmentPlan]) -> set[str]:
    """Return the other environments that a step of this one waits for."""
    others = {after.rpartition("/")[0] for step in each.steps for after in step.after}
    return {name for name in others if name != each.name and name in work}


def _failed_before(
    each: EnvironmentPlan,
    waited_for: set[str],
    work: dict[str, EnvironmentPlan],
    done: dict[str, EnvironmentFinished],
) -> list[str]:
    """Return what this one depends on and is not well. A delete only comes after changes; it depends on deletes."""
    deleting = each.action is Action.DELETE
    matter = {name for name in waited_for if not deleting or work[name].action is Action.DELETE}
    return sorted(name for name in matter if done[name].status not in _WELL)


def _apply_one(each: EnvironmentPlan, context: ApplyContext) -> EnvironmentFinished:
    """Take one environment through its steps; a failure ends it, and is told, never raised."""
    run = EnvironmentRun(each, context)
    begun = time.monotonic()
    failure: Failure | None = None
    status = Status.APPLIED
    step = each.steps[0]
    try:
        for step in each.steps:
            context.emit(StepStarted(environment=each.name, step=step.kind))
            started = time.monotonic()
            detail = run.perform(step)
            seconds = time.monotonic() - started
            context.emit(StepFinished(environment=each.name, step=step.kind, seconds=seconds, detail=detail))
    except InterruptedByUserError as error:
        status, failure = Status.INTERRUPTED, _failure(error, step)
        run.abandon()
    except (EnvsyncError, OSError) as error:
        if context.stop.is_set() and not run.published:
            status = Status.INTERRUPTED
        else:
            live = each.action is not Action.DELETE  # what a hook before a delete keeps from going was not done
            status = Status.HOOK_FAILED if isinstance(error, HookError) and live else Status.FAILED
        failure = _failure(error, step, late=_LATE[each.action is Action.DELETE] if run.published else "")
        if status is Status.INTERRUPTED or not isinstance(error, ProbeError):  # a failed probe's stays for inspection
            run.abandon()
    number = run.generation.number if run.generation and run.published else each.generation
    finished = EnvironmentFinished(
        environment=each.name,
        status=status,
        action=each.action,
        generation=0 if each.action is Action.DELETE and run.published else number,
        seconds=time.monotonic() - begun,
        failure=failure,
    )
    context.emit(finished)
    return finished


_LATE = {
    False: " (after it was published: the new generation is live)",
    True: " (after its path was removed: it is not live any more)",
}


def _failure(error: EnvsyncError | OSError, step: Step, *, late: str = "") -> Failure:
    """Say what happened, and where; `late` is said of what fails after the environment's path was changed."""
    if isinstance(error, EnvsyncError):
        return Failure.of(error, late=late)
    where = error.filename or f"step {step.kind.value}"
    return Failure(code="os-error", message=f"{where}: {error.strerror or error}{late}")


def _blocked(each: EnvironmentPlan, code: str, message: str) -> EnvironmentFinished:
    return _ended(each, Status.BLOCKED, Failure(code=code, message=message))


def _ended(each: EnvironmentPlan, status: Status, failure: Failure) -> EnvironmentFinished:
    """Say of an environment that nothing was done about it, and why."""
    return EnvironmentFinished(
        environment=each.name, status=status, action=each.action, generation=each.generation, failure=failure
    )
