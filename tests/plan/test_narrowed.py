"""A plan narrowed to drift or to pending changes: nothing lost between the two, nothing of the other side in either."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from reconciler.diff.model import Origin, Reason, ReasonCode
from reconciler.plan.document import plan_json
from reconciler.plan.model import Action, EnvironmentPlan, Plan
from reconciler.plan.origin_filter import Side, narrowed
from tests.plan.build import world
from tests.plan.test_cases import CASES, load
from tests.plan.test_properties import cases
from tests.render.pictures import check_text

ALONE_NONE = ReasonCode.ROLLED_BACK  # an explanation, no difference


def changed(plan: Plan) -> set[str]:
    return {each.name for each in plan.changes}


def hold(plan: Plan) -> None:
    """Hold one plan to all that narrowing promises."""
    drift, pending = narrowed(plan, Side.DRIFT), narrowed(plan, Side.PENDING)
    assert changed(drift) | changed(pending) == changed(plan)
    for whole, *sides in zip(plan.environments, drift.environments, pending.environments, strict=True):
        told = [reason for each in sides for reason in each.reasons]
        assert {each for each in whole.reasons if each.code is not ALONE_NONE} <= set(told) <= set(whole.reasons)
        assert {each for side in sides for each in side.packages} == set(whole.packages)
        assert {each for side in sides for each in side.findings} == set(whole.findings)
        assert sides[1].settings == whole.settings
        if whole.blocked:
            assert whole.blocked in {each.blocked for each in sides}
    for side, made in ((Side.DRIFT, drift), (Side.PENDING, pending)):
        other = Origin.PENDING if side is Side.DRIFT else Origin.DRIFT
        assert narrowed(made, side) == made, "twice is once"
        assert changed(made) <= changed(plan)
        assert not made.applyable
        assert [each.prior for each in made.environments] == [each.prior for each in plan.environments]
        ids = {step.id for each in made.environments for step in each.steps}
        for each in made.environments:
            assert other not in {*(one.origin for one in each.reasons), *(one.origin for one in each.packages)}
            assert all(ids.issuperset(step.after) for step in each.steps)
            assert bool(each.reasons) == (each.action is not Action.NO_OP)
            if each.action is Action.NO_OP:
                assert not any((each.blocked, each.packages, each.settings, each.findings, each.steps, each.failure))
        assert f'"only": "{side}"' in plan_json(made)
        assert ("No drift." in check_text(made)) is (side is Side.DRIFT and not made.has_difference)
    if not plan.has_difference:
        assert drift.environments == pending.environments == plan.environments


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_case_is_the_two_sides_and_no_more(path: Path) -> None:
    hold(world(load(path)).plan())


@given(case=cases)
def test_every_world_is_the_two_sides_and_no_more(case: dict[str, Any]) -> None:
    hold(world(case).plan())


@given(case=cases)
def test_drift_is_what_would_differ_had_the_manifest_not_moved(case: dict[str, Any]) -> None:
    case["policy"] = {}
    for each in (*case["manifest"].values(), *case["applied"].values()):
        each.pop("ignore", None)  # what the manifest newly ignores is no drift any more
        each.pop("hooks_pending", None)
    told = changed(narrowed(world(case).plan(), Side.DRIFT))
    ours = {name: each for name, each in case["applied"].items() if each["project"] == "acme" and each["generation"]}
    kept = {name: each for name, each in ours.items() if name in case["manifest"]}
    still = world({**case, "manifest": {name: settings_side(each) for name, each in kept.items()}, "selected": True})
    assert told == changed(still.plan())


@given(case=cases)
def test_pending_is_what_would_differ_had_nobody_s_hand_moved(case: dict[str, Any]) -> None:
    case["policy"] = {}
    for each in (*case["manifest"].values(), *case["applied"].values()):
        each.pop("ignore", None)
        each.pop("hooks_pending", None)  # of what is gone it is not told
    plan = world(case).plan()
    told = changed(narrowed(plan, Side.PENDING))
    untouched = changed(world({**case, "actual": {}}).plan())
    assert told <= untouched
    assert untouched - told <= {each.name for each in plan.environments if done_by_hand(each, case)}


def done_by_hand(environment: EnvironmentPlan, case: dict[str, Any]) -> bool:
    """Say whether the manifest asks for what somebody did; who took all away did what was to be taken out as well."""
    if any(each.code is ReasonCode.GONE for each in environment.reasons):
        wanted, applied = (case[side][environment.name].get("packages", {}) for side in ("manifest", "applied"))
        return set(wanted.items()) < set(applied.items())
    return any(each.reason is ReasonCode.ALREADY_AS_DESIRED for each in environment.packages)


def settings_side(applied: dict[str, Any]) -> dict[str, Any]:
    """Return an entry of `applied` as the manifest that asked for it."""
    return {key: value for key, value in applied.items() if key not in {"project", "generation", "hooks_pending"}}


def test_a_rollback_with_a_file_edited_is_drift_alone() -> None:
    rolled_back = Reason(code=ALONE_NONE, origin=Origin.PENDING, message="rolled back")
    edited = Reason(code=ReasonCode.FILES_DRIFTED, origin=Origin.DRIFT, message="1 file edited")
    plan = world({"manifest": {"web": {}}, "applied": {"web": {}}}).plan()
    environment: EnvironmentPlan = replace(plan.environments[0], action=Action.UPDATE, reasons=(rolled_back, edited))
    plan = replace(plan, environments=(environment,))
    assert not narrowed(plan, Side.PENDING).has_difference
    assert narrowed(plan, Side.DRIFT).environments[0].reasons == (edited,)


def test_what_only_the_other_side_would_do_is_not_what_is_told() -> None:
    replaced = world(
        {
            "manifest": {"web": {"python": "3.13.0", "packages": {"six": "1.0"}}},
            "applied": {"web": {"packages": {"six": "1.0"}}},
            "actual": {"web": {"packages": {}}},
        }
    ).plan()
    assert replaced.environments[0].action is Action.REPLACE
    by_hand = narrowed(replaced, Side.DRIFT).environments[0]
    assert (by_hand.action, by_hand.python_after) == (Action.UPDATE, "3.12.1")
    gone = world(
        {
            "manifest": {"web": {"env": {"A": "1"}}},
            "applied": {"web": {}},
            "actual": {"web": {"occupant": "absent", "packages": {}}},
        }
    ).plan()
    assert gone.environments[0].action is Action.CREATE
    assert narrowed(gone, Side.DRIFT).environments[0].action is Action.CREATE
    assert narrowed(gone, Side.PENDING).environments[0].action is Action.UPDATE
