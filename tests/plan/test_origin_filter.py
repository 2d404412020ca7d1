"""A plan filtered by origin: every difference passes one of the two filters, and none passes the wrong one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from reconciler.diff.model import FAULTS, Origin, Reason, ReasonCode
from reconciler.plan.document import plan_json
from reconciler.plan.model import Action, EnvironmentPlan, Plan
from reconciler.plan.origin_filter import OriginFilter, filter_by_origin
from tests.plan.build import world
from tests.plan.test_cases import CASES, load
from tests.plan.test_properties import cases
from tests.render.pictures import check_text

EXPLANATION = ReasonCode.ROLLED_BACK  # an explanation, not a difference


def changed(plan: Plan) -> set[str]:
    return {each.name for each in plan.changes}


def check_filters(plan: Plan) -> None:
    """Check everything that must be true of the two filtered plans."""
    drift, pending = filter_by_origin(plan, OriginFilter.DRIFT), filter_by_origin(plan, OriginFilter.PENDING)
    only_held = {each.name for each in plan.changes if each.hold and each.action is Action.NO_OP and not each.blocked}
    assert changed(drift) | changed(pending) == changed(plan) - only_held
    for unfiltered, *filtered in zip(plan.environments, drift.environments, pending.environments, strict=True):
        reasons = {reason for each in filtered for reason in each.reasons}
        assert {each for each in unfiltered.reasons if each.code is not EXPLANATION} <= reasons
        assert reasons <= set(unfiltered.reasons)
        assert {change for each in filtered for change in each.packages} == set(unfiltered.packages)
        assert {finding for each in filtered for finding in each.findings} == set(unfiltered.findings)
        assert not filtered[0].settings
        assert filtered[1].settings == unfiltered.settings
        if unfiltered.blocked:
            assert unfiltered.blocked in {each.blocked for each in filtered}
    for origin, made in ((OriginFilter.DRIFT, drift), (OriginFilter.PENDING, pending)):
        other = Origin.PENDING if origin is OriginFilter.DRIFT else Origin.DRIFT
        assert filter_by_origin(made, origin) == made, "filtering twice is filtering once"
        assert changed(made) <= changed(plan)
        assert not made.applyable
        assert [each.prior for each in made.environments] == [each.prior for each in plan.environments]
        ids = {step.id for each in made.environments for step in each.steps}
        for each in made.environments:
            assert other not in {*(one.origin for one in each.reasons), *(one.origin for one in each.packages)}
            assert all(ids.issuperset(step.after) for step in each.steps)
            faulty = any(reason.code in FAULTS for reason in each.blocked)
            assert bool(each.reasons) == (each.action is not Action.NO_OP) or faulty
            if each.action is Action.NO_OP and not faulty:
                assert not any((each.blocked, each.packages, each.settings, each.findings, each.steps, each.failure))
        assert f'"only": "{origin}"' in plan_json(made)
        assert ("No drift." in check_text(made)) is (origin is OriginFilter.DRIFT and not made.has_difference)
    for each in (*drift.environments, *pending.environments):  # what is pending may be unknown; that it is not is not
        assert each.complete or each.action is not Action.NO_OP or any(one.code in FAULTS for one in each.blocked)
    if not plan.has_difference:
        assert drift.environments == pending.environments == plan.environments


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_case_is_its_drift_and_its_pending_changes(path: Path) -> None:
    check_filters(world(load(path)).plan())


@given(case=cases)
def test_every_plan_is_its_drift_and_its_pending_changes(case: dict[str, Any]) -> None:
    check_filters(world(case).plan())


@given(case=cases)
def test_drift_is_what_would_differ_without_a_change_of_the_manifest(case: dict[str, Any]) -> None:
    case["policy"] = {}
    for each in (*case["manifest"].values(), *case["applied"].values()):
        each.pop("ignore", None)  # packages that the manifest ignores only now are not drift any more
        each.pop("hooks_pending", None)
    # An undeclared environment that `prevent_destroy` keeps is compared as well.
    drifted = changed(filter_by_origin(world(case).plan(), OriginFilter.DRIFT)) & case["manifest"].keys()
    ours = {name: each for name, each in case["applied"].items() if each["project"] == "acme" and each["generation"]}
    kept = {name: as_manifest(each) for name, each in ours.items() if name in case["manifest"]}
    assert drifted == changed(world({**case, "manifest": kept, "selected": True}).plan())


@given(case=cases)
def test_pending_is_what_would_differ_without_manual_changes(case: dict[str, Any]) -> None:
    case["policy"] = {}
    for each in (*case["manifest"].values(), *case["applied"].values()):
        each.pop("ignore", None)
        each.pop("hooks_pending", None)  # not reported for an environment that is gone
    plan = world(case).plan()
    pending = changed(filter_by_origin(plan, OriginFilter.PENDING))
    untouched = changed(world({**case, "actual": {}}).plan())
    assert pending <= untouched
    assert untouched - pending <= {each.name for each in plan.environments if already_done(each, case)}


def already_done(environment: EnvironmentPlan, case: dict[str, Any]) -> bool:
    """Return whether manual changes made a pending change; removing everything includes the packages to remove."""
    if environment.name not in case["manifest"]:
        return False  # its deletion is pending whatever was changed manually
    if any(each.code is ReasonCode.GONE for each in environment.reasons):
        wanted, applied = (case[side][environment.name].get("packages", {}) for side in ("manifest", "applied"))
        return set(wanted.items()) < set(applied.items())
    return any(each.reason is ReasonCode.ALREADY_AS_DESIRED for each in environment.packages)


def as_manifest(applied: dict[str, Any]) -> dict[str, Any]:
    """Return an entry of `applied` as the entry of the manifest that was applied."""
    return {key: value for key, value in applied.items() if key not in {"project", "generation", "hooks_pending"}}


def test_a_rollback_with_an_edited_file_is_only_drift() -> None:
    rolled_back = Reason(code=EXPLANATION, origin=Origin.PENDING, message="rolled back")
    edited = Reason(code=ReasonCode.FILES_DRIFTED, origin=Origin.DRIFT, message="1 file edited")
    plan = world({"manifest": {"web": {}}, "applied": {"web": {}}}).plan()
    environment: EnvironmentPlan = replace(plan.environments[0], action=Action.UPDATE, reasons=(rolled_back, edited))
    plan = replace(plan, environments=(environment,))
    assert not filter_by_origin(plan, OriginFilter.PENDING).has_difference
    assert filter_by_origin(plan, OriginFilter.DRIFT).environments[0].reasons == (edited,)


def filtered(case: dict[str, Any], name: str, origin: OriginFilter) -> EnvironmentPlan:
    plan = filter_by_origin(world(case).plan(), origin)
    return next(each for each in plan.environments if each.name == name)


def test_findings_are_shown_with_the_drift_alone() -> None:
    case = {
        "manifest": {"web": {"packages": {"six": "2.0"}}},
        "applied": {"web": {"packages": {"six": "1.0"}}},
        "actual": {"web": {"findings": [{"code": "file-added", "path": "stray.pth"}]}},
    }
    assert filtered(case, "web", OriginFilter.DRIFT).findings
    assert not filtered(case, "web", OriginFilter.PENDING).findings


def test_the_hint_of_a_target_is_shown_with_the_pending_changes_alone() -> None:
    case = {
        "manifest": {"web": {"packages": {"six": "2.0"}, "hint": "run `envsync lock web`"}},
        "applied": {"web": {"packages": {"six": "1.0"}}},
        "actual": {"web": {"occupant": "venv"}},
    }
    other = "apply with `--adopt` to take it over; the old environment is kept"
    assert filtered(case, "web", OriginFilter.DRIFT).hints == (other,)
    assert filtered(case, "web", OriginFilter.PENDING).hints == ("run `envsync lock web`", other)


def test_a_step_does_not_wait_for_an_environment_that_was_filtered_out() -> None:
    case = {
        "manifest": {"base": {"packages": {"six": "2.0"}}, "web": {"packages": {"six": "1.0"}, "depends_on": ["base"]}},
        "applied": {"base": {"packages": {"six": "1.0"}}, "web": {"packages": {"six": "1.0"}, "depends_on": ["base"]}},
        "actual": {"web": {"packages": {}}},
    }
    first = world(case).plan().environments[1].steps[0]
    assert first.after == ("base/record",)
    first, second, *_ = filtered(case, "web", OriginFilter.DRIFT).steps
    assert (first.after, second.after) == ((), (first.id,))


def test_the_action_only_follows_from_the_differences_that_pass() -> None:
    replaced = world(
        {
            "manifest": {"web": {"python": "3.13.0", "packages": {"six": "1.0"}}},
            "applied": {"web": {"packages": {"six": "1.0"}}},
            "actual": {"web": {"packages": {}}},
        }
    ).plan()
    assert replaced.environments[0].action is Action.REPLACE
    drift = filter_by_origin(replaced, OriginFilter.DRIFT).environments[0]
    assert (drift.action, drift.python_after) == (Action.UPDATE, "3.12.1")
    gone = world(
        {
            "manifest": {"web": {"env": {"A": "1"}}},
            "applied": {"web": {}},
            "actual": {"web": {"occupant": "absent", "packages": {}}},
        }
    ).plan()
    assert gone.environments[0].action is Action.CREATE
    assert filter_by_origin(gone, OriginFilter.DRIFT).environments[0].action is Action.CREATE
    assert filter_by_origin(gone, OriginFilter.PENDING).environments[0].action is Action.UPDATE
    new = world({"manifest": {"web": {}}}).plan()
    assert filter_by_origin(new, OriginFilter.PENDING).environments[0].action is Action.CREATE
    pending = filter_by_origin(replaced, OriginFilter.PENDING).environments[0]
    assert (pending.action, pending.python_after) == (Action.REPLACE, "3.13.0")


def test_a_pending_interpreter_of_an_environment_that_is_gone_is_a_replacement() -> None:
    case = {
        "manifest": {"web": {"python": "3.13.0", "env": {"A": "1"}}},
        "applied": {"web": {}},
        "actual": {"web": {"occupant": "absent"}},
    }
    web = filtered(case, "web", OriginFilter.PENDING)
    assert (web.action, len(web.reasons)) == (Action.REPLACE, 2)
