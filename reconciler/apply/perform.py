"""Perform a plan while the root is locked: refuse it if the disk changed, run the steps, write history, collect."""

import queue
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from reconciler.apply.collect import Removable, collect_garbage
from reconciler.apply.context import ApplyContext, ApplyOptions
from reconciler.apply.schedule import apply_plan
from reconciler.apply.set_access import root_access
from reconciler.apply.shared_files import observe_shared_files
from reconciler.apply.stage import discard_unneeded
from reconciler.backticks import list_in_backticks
from reconciler.canonical_json import Json
from reconciler.diff.renames import Renames
from reconciler.engines.engine import Engine
from reconciler.errors import CollectError, PlanFileError
from reconciler.events import Event, Failure, Notice, RunFinished, Status
from reconciler.manifest.desired import DesiredState
from reconciler.manifest.times import parse_age
from reconciler.observe.environments import observe_environments
from reconciler.plan.model import Action, Plan
from reconciler.plan.prior import prior
from reconciler.processes.child import SIGNAL_SECONDS
from reconciler.state.history import append_history, history_entry
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.masking_key import make_masking_key
from reconciler.state.owner import ManifestIdentity, manifest_identity, named_path
from reconciler.state.store import State


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyRequest:
    """A plan to perform, with everything that this needs.

    `recheck` observes the environments again before anything is changed. It is not needed if the plan was made a moment
    ago while the root was locked; `inodes` must then be the cache that the plan was made with.
    """

    plan: Plan
    desired: DesiredState
    state: State
    engine: Engine
    options: ApplyOptions
    ambient: Mapping[str, str]
    stop: threading.Event
    inodes: InodeHashes
    recheck: bool


def perform(request: ApplyRequest, on_event: Callable[[Event], None]) -> RunFinished:
    """Perform a plan; `on_event` is called with every event, in this thread. The root mutex must be held.

    Raises PlanFileError if an environment changed since the plan was made. The failure of an environment is in the
    result and is not raised.
    """
    if request.recheck:
        refuse_if_changed(request)
    with root_access(request.state, request.desired.access):
        return _perform(request, on_event)


def _perform(request: ApplyRequest, on_event: Callable[[Event], None]) -> RunFinished:
    layout, inodes = request.state.layout, request.inodes
    observe_shared_files(request.plan, request.desired, request.state, inodes)
    inodes.begin_linking()
    inodes.begin_pass()
    layout.cache.mkdir(parents=True, exist_ok=True)
    make_masking_key(layout)  # after the plan was made: a new key changes no plan that was approved
    plan_id = request.plan.id
    owner = _owner(request)
    result = _run_in_thread(request, plan_id, owner, on_event)
    inodes.save()
    discard_unneeded(request.plan, request.desired, result.environments, request.state, owner.path)
    if any(each.steps for each in request.plan.environments):
        unwritten = append_history(layout, _history_entry(request, plan_id, result))
        if unwritten:
            on_event(Notice(message=unwritten))
    if request.options.collect and not result.interrupted:
        result = _collect(request.state, result, on_event)
    on_event(result)
    return result


def refuse_if_changed(request: ApplyRequest) -> None:
    """Observe again: apply must change exactly what was approved. Raises PlanFileError with what changed.

    A person may have taken a long time to approve the plan.
    """
    changing = [each for each in request.plan.environments if each.steps and not each.blocked]
    renames = Renames(pairs={each.name: each.renamed_from for each in changing if each.renamed_from})
    names = [*(each.name for each in changing), *renames.pairs.values()]
    applied = request.state.last_applied()
    desired = renames.as_former(request.desired)
    _, observed = renames.observed(
        observe_environments(names, desired, request.state, applied, request.plan.depth, request.inodes)
    )
    now = observed.environments
    changed = []
    for each in changing:
        interpreter = each.target.interpreter if each.target and each.action is not Action.DELETE else None
        if prior(now[each.name], interpreter) != each.prior:
            changed.append(each.name)
    held = [each.name for each in changing if (last := applied.get(each.name)) is not None and last.hold != each.hold]
    if held:
        raise PlanFileError(
            f"the plan cannot be applied: {list_in_backticks(held)} {'was' if len(held) == 1 else 'were'} held "
            "after it was made",
            hint="run `envsync plan` and review what changed",
        )
    if changed:
        raise PlanFileError(
            f"the plan cannot be applied: {list_in_backticks(changed)} changed on disk since it was made",
            hint="run `envsync plan` and review what changed",
        )


def _owner(request: ApplyRequest) -> ManifestIdentity:
    """Return the identity of the manifest, for the records."""
    desired, root = request.desired, request.state.layout.root
    applied, _ = request.state.read()
    named = named_path(desired.file, root, request.ambient.get("PWD", ""))
    return manifest_identity(named, root, applied, desired.project)


def _run_in_thread(
    request: ApplyRequest, plan_id: str, owner: ManifestIdentity, on_event: Callable[[Event], None]
) -> RunFinished:
    """Run the plan in a thread of its own and pass its events on in this one, which can receive signals."""
    events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
    context = ApplyContext(
        plan=request.plan,
        plan_id=plan_id,
        state=request.state,
        engine=request.engine,
        indexes=request.desired.indexes,
        options=request.options,
        inodes=request.inodes,
        ambient=request.ambient,
        owner=owner,
        keep_deleted=parse_age(request.desired.keep_deleted),
        emit=events.put,
        stop=request.stop,
    )
    outcome: list[RunFinished | BaseException] = []

    def work() -> None:
        try:
            outcome.append(apply_plan(context))
            context.wheels.save()
        except BaseException as error:  # noqa: BLE001  # raised again below, in the caller's thread
            outcome.append(error)
        finally:
            events.put(None)

    worker = threading.Thread(target=work, name="apply")
    worker.start()
    try:
        while (event := _next(events)) is not None:
            on_event(event)
    finally:
        worker.join()
    result = outcome[0]
    if isinstance(result, BaseException):
        raise result
    return result


def _next(events: "queue.SimpleQueue[Event | None]") -> Event | None:
    """Wait for the next event; return None after the last one. The timeout lets signal handlers run."""
    while True:
        with suppress(queue.Empty):
            return events.get(timeout=SIGNAL_SECONDS)


def _collect(state: State, result: RunFinished, on_event: Callable[[Event], None]) -> RunFinished:
    """Collect garbage after the run; return its result, with a failure if a generation could not be deleted.

    A failure that an earlier run has reported as well is only a notice.
    """
    failed = [each.environment for each in result.environments if each.failure is not None]
    # The newest generation of a failed environment stays for inspection until the next run or `gc`. Only the newest,
    # because the generations of repeated failures would fill the disk.
    spare = frozenset((name, max(state.layout.generation_numbers(name), default=0)) for name in failed)
    new = []
    for each in collect_garbage(state, spare=spare, discard=frozenset()):
        if each.failure and not each.reported:
            new.append(each)
        elif each.notice:
            on_event(Notice(message=each.notice, environment=each.name))
    return replace(result, failure=_collect_failure(new)) if new else result


def _collect_failure(failed: list[Removable]) -> Failure:
    """Return the failure of the collection: what is reported the first time that it happens, and ends with code 4."""
    first, *others = [each.notice for each in failed]
    error = CollectError(
        first,
        hint="fix the cause, then run `envsync gc`; no environment needs this generation, and later runs only note it",
        details=tuple(others),
    )
    return Failure.of(error)


def _history_entry(request: ApplyRequest, plan_id: str, result: RunFinished) -> dict[str, Json]:
    reasons = {
        each.name: [reason.code.value for reason in each.blocked or each.reasons] for each in request.plan.environments
    }
    former = {each.name: each.renamed_from for each in request.plan.environments if each.renamed_from}
    environments: list[Json] = [
        {
            "name": each.environment,
            "action": each.action,
            "status": each.status,
            "generation": each.staged or each.generation,
            "reasons": list[Json](reasons.get(each.environment, [])),
            **({"renamed_from": former[each.environment]} if each.environment in former else {}),
        }
        for each in result.environments
        if each.status not in {Status.UNCHANGED, Status.LEFT, Status.HELD}
    ]
    return history_entry(request.ambient, environments, plan=plan_id, exit_code=result.exit_code)
