"""The steps of each change, and what each must wait for (design, sections 7 and 8)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from reconciler.diff.model import EnvironmentDiff, LockState, Presence, ReasonCode, Target
from reconciler.diff.settings import has_hooks, roots
from reconciler.observe.actual import Occupant
from reconciler.plan.model import Action, EnvironmentPlan, Step, StepKind
from reconciler.plan.topology import positions
from reconciler.state.applied import Applied


def build_kinds(target: Target, *, adopt: bool) -> list[StepKind]:
    """Return the steps to a new generation, published or put in the place of somebody's venv."""
    wanted = target.environment
    return [
        *_lock(target),
        StepKind.BUILD,
        StepKind.VERIFY,
        *([StepKind.PROBE] if wanted.probes else []),
        StepKind.SEAL,
        StepKind.SYNC,
        StepKind.ADOPT if adopt else StepKind.PUBLISH,
        StepKind.RECORD,
        *([StepKind.AFTER_PUBLISH] if wanted.hooks.after_publish else []),
    ]


def change_kinds(diff: EnvironmentDiff, target: Target) -> list[StepKind]:
    """Return the steps of one environment that the manifest asks for; a foreign occupant is adopted."""
    match diff.presence:
        case Presence.UNCHANGED | Presence.DELETE:
            return []
        case Presence.RECORD:
            return _record_kinds(diff, target)
        case Presence.CREATE | Presence.UPDATE | Presence.REPLACE | Presence.FOREIGN:
            return build_kinds(target, adopt=diff.presence is Presence.FOREIGN)
        case _:
            assert_never(diff.presence)


def delete_kinds(occupant: Occupant, applied: Applied) -> list[StepKind]:
    """Return the steps of a delete; where nothing stands any more it is only forgotten, without hooks."""
    match occupant:
        case Occupant.PUBLISHED:
            hooks = [StepKind.BEFORE_DELETE] if has_hooks(applied.settings, "before_delete") else []
            return [*hooks, StepKind.UNPUBLISH, StepKind.FORGET]
        case Occupant.DANGLING:
            return [StepKind.UNPUBLISH, StepKind.FORGET]
        case _:
            return [StepKind.FORGET]


def chained(
    plans: Mapping[str, EnvironmentPlan], kinds: Mapping[str, Sequence[StepKind]], needs: Mapping[str, Iterable[str]]
) -> dict[str, tuple[Step, ...]]:
    """Return each environment's steps: one after another, behind the last step of everything that it needs.

    Needs without steps pass on their own needs. Deletes wait for every other change as well: what takes a deleted
    environment's place must stand first.
    """
    last = {name: f"{name}/{each[-1].value}" for name, each in kinds.items() if each}
    place = positions({name: tuple(each) for name, each in needs.items()})
    changes = {last[name] for name in last if plans[name].action is not Action.DELETE}
    found: dict[str, tuple[Step, ...]] = {}
    behind: dict[str, frozenset[str]] = {}
    for name in sorted(plans, key=place.__getitem__):
        before: set[str] = set()
        for each in needs[name]:
            if place[each] < place[name]:
                before |= {last[each]} if each in last else behind[each]
        behind[name] = frozenset(before)
        if plans[name].action is Action.DELETE:
            before |= changes
        steps: list[Step] = []
        for kind in kinds[name]:
            after = (steps[-1].id,) if steps else tuple(sorted(before))
            steps.append(Step(id=f"{name}/{kind.value}", kind=kind, environment=name, after=after))
        found[name] = tuple(steps)
    return found


def _record_kinds(diff: EnvironmentDiff, target: Target) -> list[StepKind]:
    """Return the steps where no generation is built: changed probes must pass first, hooks left over run last."""
    probed = target.environment.probes and "probes" in roots(diff.settings)
    due = [each.code is ReasonCode.HOOKS_PENDING for each in diff.reasons]
    return [
        *_lock(target),
        *([StepKind.PROBE] if probed else []),
        *([] if all(due) else [StepKind.RECORD]),
        *([StepKind.AFTER_PUBLISH] if any(due) else []),
    ]


def _lock(target: Target) -> list[StepKind]:
    unknown = target.packages is None
    return [StepKind.LOCK] if unknown or target.lock_state is not LockState.FRESH else []
