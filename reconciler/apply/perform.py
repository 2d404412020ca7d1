"""Performs a plan whose root is held: refuse what moved, run the steps, write history, collect garbage."""

import datetime as dt
import os
import queue
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from reconciler.apply.collect import CollectError, collect_garbage
from reconciler.apply.context import ApplyContext, ApplyOptions
from reconciler.apply.schedule import apply_plan
from reconciler.apply.shared_files import look_at_alike
from reconciler.canonical_json import Json
from reconciler.engines.engine import Engine
from reconciler.errors import PlanFileError
from reconciler.events import Event, Failure, Notice, RunFinished, Status
from reconciler.manifest.desired import DesiredState
from reconciler.observe.environments import observe
from reconciler.plan.model import Action, Plan
from reconciler.plan.prior import prior
from reconciler.processes.child import SIGNAL_SECONDS
from reconciler.state.history import append_history
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.store import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to perform, where, and with what.

    Unless `paused`, the plan was made a moment ago, the root held and nobody asked since; `inodes` has what it saw.
    """

    plan: Plan
    desired: DesiredState
    state: State
    engine: Engine
    options: ApplyOptions
    ambient: Mapping[str, str]
    stop: threading.Event
    inodes: InodeHashes
    paused: bool


def perform(order: Order, tell: Callable[[Event], None]) -> RunFinished:
    """Perform a plan; `tell` gets every event, in this thread. The root's lock must be held.

    Raises PlanFileError where what was planned on has moved; an environment that fails is in the result, never raised.
    """
    layout = order.state.layout
    inodes = order.inodes
    if order.paused:
        refuse_if_stale(order)
    look_at_alike(order.plan, order.desired, order.state, inodes)
    inodes.begin_linking()
    inodes.begin_pass()
    layout.cache.mkdir(parents=True, exist_ok=True)
    plan_id = order.plan.id
    result = _relay(order, plan_id, inodes, tell)
    inodes.save()
    if any(each.steps for each in order.plan.environments):
        append_history(layout, _history_entry(order, plan_id, result))
    if order.options.collect and not result.interrupted:
        failed = [each.environment for each in result.environments if each.failure is not None]
        # What a failure left stays for inspection, until the next run or `gc`: its newest alone, or a disk fills up.
        spare = frozenset((name, max(layout.generation_numbers(name), default=0)) for name in failed)
        try:
            for each in collect_garbage(order.state, spare=spare):
                if each.left:
                    tell(Notice(message=each.left, environment=each.name))
        except CollectError as error:
            result = replace(result, failure=Failure.of(error))
    tell(result)
    return result


def refuse_if_stale(order: Order) -> None:
    """Look once more: what a person approved must be what is changed. Raises PlanFileError naming what moved."""
    changing = [each for each in order.plan.environments if each.steps and not each.blocked]
    names = [each.name for each in changing]
    applied = order.state.last_applied()
    now = observe(names, order.desired, order.state, applied, order.plan.depth, order.inodes).environments
    moved = []
    for each in changing:
        interpreter = each.target.interpreter if each.target and each.action is not Action.DELETE else None
        if prior(now[each.name], interpreter) != each.prior:
            moved.append(each.name)
    if moved:
        raise PlanFileError(
            f"the plan no longer fits: {', '.join(moved)} changed on disk since it was made",
            hint="plan again, and look at what moved",
        )


def _relay(order: Order, plan_id: str, inodes: InodeHashes, tell: Callable[[Event], None]) -> RunFinished:
    """Run the plan in a thread of its own and pass its events on from this one, in which signals arrive."""
    events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
    context = ApplyContext(
        plan=order.plan,
        plan_id=plan_id,
        state=order.state,
        engine=order.engine,
        indexes=order.desired.indexes,
        options=order.options,
        inodes=inodes,
        ambient=order.ambient,
        emit=events.put,
        stop=order.stop,
    )
    outcome: list[RunFinished | BaseException] = []

    def work() -> None:
        try:
            outcome.append(apply_plan(context))
        except BaseException as error:  # noqa: BLE001  # raised again below, in the caller's thread
            outcome.append(error)
        finally:
            events.put(None)

    worker = threading.Thread(target=work, name="apply")
    worker.start()
    try:
        while (event := _next(events)) is not None:
            tell(event)
    finally:
        worker.join()
    result = outcome[0]
    if isinstance(result, BaseException):
        raise result
    return result


def _next(events: "queue.SimpleQueue[Event | None]") -> Event | None:
    """Wait for the next event, in a way that lets signals through."""
    while True:
        with suppress(queue.Empty):
            return events.get(timeout=SIGNAL_SECONDS)


def _history_entry(order: Order, plan_id: str, result: RunFinished) -> dict[str, Json]:
    reasons = {each.name: [reason.code.value for reason in each.reasons] for each in order.plan.environments}
    return {
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "by": order.ambient.get("USER") or str(os.getuid()),
        "plan": plan_id,
        "exit_code": result.exit_code,
        "environments": [
            {
                "name": each.environment,
                "action": each.action,
                "status": each.status,
                "generation": each.generation,
                "reasons": list[Json](reasons.get(each.environment, [])),
            }
            for each in result.environments
            if each.status is not Status.UNCHANGED
        ],
    }
