"""The invariants: what must be true of a host after every step."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace

from reconciler.diff.model import Origin, Reason, ReasonCode
from reconciler.observe.actual import Depth, FindingCode
from reconciler.plan.model import EnvironmentPlan, Plan
from tests.faults.damages import Damage
from tests.faults.model import MAIN, OTHER, AtPath, Declared, Environment, Expected, deletes_waiting
from tests.faults.real import Real

_DRIFT = frozenset({Origin.DRIFT, Origin.BOTH})
_DAMAGED_STATE = frozenset({ReasonCode.STATE_UNREADABLE, FindingCode.SEAL_DAMAGED, FindingCode.INVENTORY_UNREADABLE})


def drifts(planned: EnvironmentPlan) -> bool:
    """Return whether a plan shows that something was changed manually."""
    origins = [*(each.origin for each in planned.reasons), *(each.origin for each in planned.packages)]
    return not _DRIFT.isdisjoint(origins)


def check_plan(plan: Plan, expected: Mapping[str, Expected]) -> None:
    """Compare a plan with the model: actions, blockers, drift, reasons, and the name of each damaged file."""
    assert {each.name for each in plan.environments} == expected.keys()
    for each in plan.environments:
        wanted = expected[each.name]
        assert {reason.code.value for reason in each.blocked} == wanted.blocked, (each, wanted)
        assert wanted.blocked or each.action.value == wanted.action, (each, wanted)
        assert wanted.drift is None or drifts(each) == wanted.drift, (each, wanted)
        codes = {reason.code.value for reason in each.reasons}
        assert wanted.reasons <= codes, (each, wanted)
        assert "rolled-back" in wanted.reasons or "rolled-back" not in codes, each
        for damage in wanted.damages:
            assert _is_shown(damage, each, codes), (damage, each)


def check_other_view(plan: Plan, seen: Plan, *, unread: Set[str], forged: Set[str]) -> None:
    """Compare the owner's plan with that of a user who may not read something of the environments `unread`.

    What this user may not read is a finding of its own (`unreadable`), because its contents are not known to this user,
    so the plans of these environments cannot be equal. What is decided must be equal, and so must all others.
    A directory that a person closed at the path of an environment counts as a directory, whatever it contains.

    If a state file is damaged, only the words may differ: the owner finds out that the code of the file is wrong, and
    others, who have no key, find out what is wrong with its contents. Those who have no key cannot find out that
    something else wrote a seal: nothing is promised about the environments `forged`.
    """
    assert [each.name for each in seen.environments] == [each.name for each in plan.environments]
    for mine, other in zip(plan.environments, seen.environments, strict=True):
        if mine.name in forged:
            continue
        if mine.name in unread:
            assert (other.action, other.steps) == (mine.action, mine.steps), (mine, other)
            assert _codes(other.blocked) == _codes(mine.blocked), (mine, other)
            assert _codes(mine.reasons) <= _codes(other.reasons), (mine, other)
            strange = {each.code for each in other.findings if each not in mine.findings}
            assert not strange or FindingCode.UNREADABLE in strange, (mine, other)
            assert strange <= {FindingCode.UNREADABLE, FindingCode.FOREIGN_DIRECTORY}, (mine, other)
        elif _is_of_damaged_state(mine):
            assert _without_words(other) == _without_words(mine), (mine, other)
        else:
            assert other == mine, (mine, other)
    assert seen.id == plan.id or seen.environments != plan.environments, (plan, seen)


def _is_of_damaged_state(planned: EnvironmentPlan) -> bool:
    """Return whether a record, a seal or an inventory could not be read."""
    codes = _codes((*planned.reasons, *planned.blocked)) | {each.code for each in planned.findings}
    return not codes.isdisjoint(_DAMAGED_STATE)


def _without_words(planned: EnvironmentPlan) -> EnvironmentPlan:
    return replace(
        planned,
        reasons=tuple(replace(each, message="") for each in planned.reasons),
        blocked=tuple(replace(each, message="") for each in planned.blocked),
        findings=tuple(replace(each, detail="") for each in planned.findings),
    )


def _codes(reasons: Iterable[Reason]) -> set[ReasonCode]:
    return {each.code for each in reasons}


def _is_shown(damage: Damage, planned: EnvironmentPlan, codes: set[str]) -> bool:
    """Return whether the plan shows a damage with its reason, for the environment or on the package's line."""
    lines = [each for each in planned.packages if each.name == damage.package and each.origin in _DRIFT]
    if damage.reason not in codes and not lines:
        return False
    named = {path for line in planned.packages for path in line.files} | {each.path for each in planned.findings}
    return not damage.shown or damage.shown in named or bool(lines)


def check_state(real: Real, model: Mapping[str, Environment], declared: Mapping[str, Declared]) -> None:
    """Compare the host with the model.

    - A plan is the one that the model expects, at every depth, and the same plan when it is made twice. So nothing else
      changed.
    - At depth `hashes`, a plan shows drift exactly if `verify` finds damage. They differ by design in three cases: if
      `ignore_files` is not applied yet (a plan uses the manifest, `verify` uses the applied settings), for
      environments that the manifest no longer declares (a delete does not look for drift), and for those that are
      blocked because their record or seal cannot be read.
    - `freeze` shows what was built if nothing is damaged.
    - The published generations and the generations on disk are those of the model. Foreign files are unchanged.
    """
    for depth in (Depth.METADATA, Depth.FILES, Depth.HASHES):
        plan = real.plan(depth).plan
        expected = {name: model[name].expected(entry, depth) for name, entry in declared.items()}
        for name, own in model.items():
            if name not in declared and (gone := own.expected_delete(declared=None, empty=not declared)):
                expected[name] = gone
        check_plan(plan, deletes_waiting(expected))
    assert real.plan(Depth.HASHES).plan.id == plan.id
    clean = {each.name: each.intact for each in real.workspace().maintenance.verify()}
    for each in plan.environments:
        own, entry = model[each.name], declared.get(each.name)
        if each.name not in clean and own.applied:
            continue  # a different project's
        if ReasonCode.STATE_UNREADABLE in _codes(each.blocked):
            assert not clean.get(each.name, False), (clean, each)
            continue
        if entry and (own.applied is None or entry.settings.ignore_files == own.applied.settings.ignore_files):
            assert drifts(each) == (not clean.get(each.name, True)), (clean, each)
    assert clean == {
        name: own.intact(Depth.HASHES)
        for name, own in model.items()
        if own.unreadable or (own.applied and own.applied.owner.project == MAIN.project)
    }
    deleted = {side: real.workspace(side).maintenance.deleted() for side in (MAIN, OTHER)}
    for name, own in model.items():
        assert real.published(name) == own.number, own
        for side in (MAIN, OTHER):
            restorable = own.restorable is not None and own.restorable.owner.project == side.project
            assert (name in deleted[side]) == restorable, (side, own)
        assert real.numbers(name) - own.left == own.generations.keys(), (real.numbers(name), own)
        if own.published and own.published.venv and not own.published.open:
            assert real.freeze(name) == own.published.content, own
        if own.at_path in {AtPath.FILE, AtPath.DIRECTORY, AtPath.VENV}:
            assert real.untouched(name)
