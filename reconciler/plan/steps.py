"""The steps of each change, and the steps that each must wait for (docs/design.md, "Apply")."""

from collections.abc import Collection, Mapping, Sequence
from typing import assert_never

from reconciler.diff.model import DiffKind, EnvironmentDiff, ReasonCode, Target
from reconciler.diff.settings import changed_setting_names, has_hooks
from reconciler.lock.model import LockState
from reconciler.observe.actual import Occupant
from reconciler.plan.model import Action, EnvironmentPlan, Step, StepKind
from reconciler.plan.topology import topological_order
from reconciler.state.applied import Applied


def build_step_kinds(target: Target, *, adopt: bool, hooks: bool, carry: bool) -> list[StepKind]:
    """Return the steps that build a new generation and publish it, or replace an adopted venv with it.

    Without `hooks` they run none. `carry` carries the files over that `ignore_files` matches.
    """
    environment = target.environment
    return [
        *_lock(target),
        StepKind.BUILD,
        StepKind.VERIFY,
        *([StepKind.PROBE] if environment.probes else []),
        StepKind.SEAL,
        StepKind.SYNC,
        *([StepKind.CARRY_OVER] if carry and environment.ignored_files else []),
        StepKind.ADOPT if adopt else StepKind.PUBLISH,
        StepKind.RECORD,
        *([StepKind.AFTER_PUBLISH] if hooks and environment.hooks.after_publish else []),
        *([StepKind.TRIAL] if hooks and environment.on_trial else []),
    ]


def change_step_kinds(diff: EnvironmentDiff, target: Target, *, hooks: bool, carry: bool) -> list[StepKind]:
    """Return the steps of one environment that the manifest declares; a foreign occupant is adopted.

    Without `hooks` none are run, and those that are due count as done. Without `carry` a rebuild leaves ignored files
    behind.
    """
    match diff.kind:
        case DiffKind.UNCHANGED | DiffKind.DELETE:
            return []
        case DiffKind.RECORD:
            return _record_step_kinds(diff, target, hooks=hooks)
        case DiffKind.CREATE | DiffKind.UPDATE | DiffKind.REPLACE | DiffKind.FOREIGN:
            rebuilt = diff.kind in {DiffKind.UPDATE, DiffKind.REPLACE}
            return build_step_kinds(target, adopt=diff.kind is DiffKind.FOREIGN, hooks=hooks, carry=carry and rebuilt)
        case _:
            assert_never(diff.kind)


def delete_step_kinds(occupant: Occupant, applied: Applied, *, hooks: bool) -> list[StepKind]:
    """Return the steps of a deletion; if nothing is published, only the record is removed, without hooks."""
    match occupant:
        case Occupant.PUBLISHED:
            before = [StepKind.BEFORE_DELETE] if hooks and has_hooks(applied.settings, "before_delete") else []
            return [*before, StepKind.UNPUBLISH, StepKind.FORGET]
        case Occupant.DANGLING:
            return [StepKind.UNPUBLISH, StepKind.FORGET]
        case _:
            return [StepKind.FORGET]


def make_steps(
    plans: Mapping[str, EnvironmentPlan],
    kinds: Mapping[str, Sequence[StepKind]],
    predecessors: Mapping[str, Collection[str]],
) -> dict[str, tuple[Step, ...]]:
    """Return each environment's steps, one after another, after the last step of each of its predecessors.

    For a predecessor without steps, its own predecessors count. Deletions also wait for every other change, so that
    the replacement of a deleted environment exists first.
    """
    last = {name: f"{name}/{each[-1].value}" for name, each in kinds.items() if each}
    place = {name: number for number, name in enumerate(topological_order(predecessors))}
    changes = {last[name] for name in last if plans[name].action is not Action.DELETE}
    found: dict[str, tuple[Step, ...]] = {}
    waits_for: dict[str, frozenset[str]] = {}
    for name in place:
        before: set[str] = set()
        for each in predecessors[name]:
            if place[each] < place[name]:
                before |= {last[each]} if each in last else waits_for[each]
        waits_for[name] = frozenset(before)
        if plans[name].action is Action.DELETE:
            before |= changes
        steps: list[Step] = []
        for kind in kinds[name]:
            after = (steps[-1].id,) if steps else tuple(sorted(before))
            steps.append(Step(id=f"{name}/{kind.value}", kind=kind, environment=name, after=after))
        found[name] = tuple(steps)
    return found


def _record_step_kinds(diff: EnvironmentDiff, target: Target, *, hooks: bool) -> list[StepKind]:
    """Return the steps if no generation is built: changed probes must pass first, pending hooks run last.

    Without `hooks` the record says that none are pending, and a trial ends.
    """
    probed = target.environment.probes and "probes" in changed_setting_names(diff.settings)
    codes = {each.code for each in diff.reasons}
    due = {ReasonCode.HOOKS_PENDING, ReasonCode.ON_TRIAL}
    return [
        *_lock(target),
        *([StepKind.PROBE] if probed else []),
        *([] if hooks and codes <= due else [StepKind.RECORD]),
        *([StepKind.AFTER_PUBLISH] if hooks and ReasonCode.HOOKS_PENDING in codes else []),
        *([StepKind.TRIAL] if hooks and ReasonCode.ON_TRIAL in codes else []),
    ]


def _lock(target: Target) -> list[StepKind]:
    unknown = target.packages is None
    return [StepKind.LOCK] if unknown or target.lock_state is not LockState.FRESH else []
