"""What must be true of a host after every step, whatever was done to it."""

from collections.abc import Mapping

from reconciler.diff.model import Origin
from reconciler.observe.actual import Depth
from reconciler.plan.model import EnvironmentPlan, Plan
from tests.faults.damages import Damage
from tests.faults.model import Declared, Environment, Expected, Stands
from tests.faults.real import Real

_BY_HAND = frozenset({Origin.DRIFT, Origin.BOTH})


def drifts(planned: EnvironmentPlan) -> bool:
    """Return whether a plan says that somebody's hand changed something."""
    origins = [*(each.origin for each in planned.reasons), *(each.origin for each in planned.packages)]
    return not _BY_HAND.isdisjoint(origins)


def hold_plan(plan: Plan, expected: Mapping[str, Expected]) -> None:
    """Hold a plan against what the model expects: actions, obstacles, drift, reasons, and each damage by name."""
    assert {each.name for each in plan.environments} == expected.keys()
    for each in plan.environments:
        wanted = expected[each.name]
        assert {reason.code.value for reason in each.blocked} == wanted.blocked, each
        assert wanted.blocked or each.action.value == wanted.action, each
        assert wanted.drift is None or drifts(each) == wanted.drift, each
        codes = {reason.code.value for reason in each.reasons}
        assert wanted.reasons <= codes, each
        assert "rolled-back" in wanted.reasons or "rolled-back" not in codes, each
        for damage in wanted.damages:
            assert _is_told(damage, each, codes), (damage, each)


def _is_told(damage: Damage, planned: EnvironmentPlan, codes: set[str]) -> bool:
    """Return whether a damage is in the plan with its reason: of the environment, or on its package's own line."""
    lines = [each for each in planned.packages if each.name == damage.package and each.origin in _BY_HAND]
    if damage.reason not in codes and not lines:
        return False
    named = {path for line in planned.packages for path in line.files} | {each.path for each in planned.findings}
    return not damage.shown or damage.shown in named or bool(lines)


def hold_state(real: Real, model: Mapping[str, Environment], declared: Mapping[str, Declared]) -> None:
    """Hold the whole host against the model.

    - A plan is the same twice, at every depth, and is what the model expects; so nothing that was not touched changed.
    - At `hashes`, a plan shows drift exactly where `verify` is not clean. They differ by design where the manifest's
      `ignore_files` is not applied yet (a plan goes by the manifest, verify by what was applied), and on what is not in
      the manifest any more (a delete asks for no drift).
    - `freeze` says what was built where nothing is damaged.
    - What is published and which generations are there is what the model says; what is not ours stands untouched.
    """
    for depth in (Depth.METADATA, Depth.FILES, Depth.HASHES):
        plan = real.plan(depth).plan
        expected = {name: model[name].expected(entry, depth) for name, entry in declared.items()}
        for name, own in model.items():
            if name not in declared and (gone := own.unwanted(declared=None, empty=not declared)):
                expected[name] = gone
        hold_plan(plan, expected)
    assert real.plan(Depth.HASHES).plan.id == plan.id
    clean = {each.name: each.intact for each in real.workspace.upkeep.verify()}
    for each in plan.environments:
        own, entry = model[each.name], declared.get(each.name)
        if entry and (own.applied is None or entry.settings.ignore_files == own.applied.settings.ignore_files):
            assert drifts(each) == (not clean.get(each.name, True)), (clean, each)
    assert clean == {name: own.intact(Depth.HASHES) for name, own in model.items() if own.applied}
    for name, own in model.items():
        assert real.published(name) == own.number, own
        assert real.numbers(name) - own.left == own.generations.keys(), (real.numbers(name), own)
        if own.published and own.published.venv and not own.published.open:
            assert real.freeze(name) == own.published.content, own
        if own.stands in {Stands.FILE, Stands.DIRECTORY, Stands.VENV}:
            assert real.untouched(name)
