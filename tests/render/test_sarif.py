"""SARIF: valid by its schema for every case plan, one result an issue, fingerprints that stay."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.diff.model import ReasonCode
from reconciler.events import Status
from reconciler.plan.model import Plan
from reconciler.render.issues import MOST_PACKAGES
from reconciler.render.report import Report
from reconciler.render.rules import RULES
from reconciler.render.sarif import MOST_RESULTS, message_text, sarif
from tests.render.hostile import NASTY, assert_clean_json, texts
from tests.render.reports import (
    EVERYTHING,
    NOTHING,
    SCHEMAS,
    WORLDS,
    applied,
    hostile_reports,
    plan_of,
    report_of,
    spoiled_report,
)


@cache
def validator() -> Draft202012Validator:
    schema = json.loads((SCHEMAS / "sarif-2.1.0.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


@cache
def valid_rules() -> Any:
    """Return the rules, which are the same in every log: held to the schema once, for there are many of them."""
    log = json.loads(sarif(report_of(plan_of(NOTHING))))
    validator().validate(log)
    return log["runs"][0]["tool"]["driver"]["rules"]


def run_of(report: Report) -> dict[str, Any]:
    """Return the run of a report's log, held to the schema and to what GitHub asks beyond it."""
    text = sarif(report)
    assert_clean_json(text)
    log = json.loads(text)
    (run,) = log["runs"]
    rules = run["tool"]["driver"].pop("rules")
    assert rules == valid_rules()
    validator().validate(log)
    for each in run["results"]:
        assert rules[each["ruleIndex"]]["id"] == each["ruleId"]
        assert each["message"]["text"]
        (location,) = each["locations"]
        assert location["physicalLocation"]["region"]["startLine"] >= 1
    assert isinstance(run, dict)
    return run


def results(report: Report) -> list[dict[str, Any]]:
    found = run_of(report)["results"]
    assert isinstance(found, list)
    return found


def prints(report: Report, name: str = "primaryLocationLineHash") -> list[str]:
    return [each["partialFingerprints"][name] for each in results(report)]


def line(result: dict[str, Any]) -> Any:
    return result["locations"][0]["physicalLocation"]["region"]["startLine"]


@pytest.mark.parametrize("world", WORLDS, ids=lambda path: path.stem)
def test_every_plan_and_apply_is_valid_by_the_schema(world: Path) -> None:
    plan = plan_of(world)
    found = results(report_of(plan))
    assert bool(found) is plan.has_difference
    told = {each["locations"][0]["logicalLocations"][0]["name"] for each in found}
    assert told == {each.name for each in plan.changes}
    for name in ("envsync/v1", "primaryLocationLineHash"):
        marks = [each["partialFingerprints"][name] for each in found]
        assert len(set(marks)) == len(marks)
    assert sarif(report_of(plan)) == sarif(report_of(plan))
    run_of(applied(plan))
    well = results(applied(plan, status=Status.APPLIED))
    assert well == [each for each in found if each["locations"][0]["logicalLocations"][0]["name"] in blocked(plan)]


def blocked(plan: Plan) -> set[str]:
    return {each.name for each in plan.environments if each.blocked}


def test_every_reason_is_a_rule_with_level_and_texts() -> None:
    rules = valid_rules()
    assert {each["id"] for each in rules} == set(RULES)
    assert set(RULES) > set(ReasonCode)
    assert len({each["shortDescription"]["text"] for each in rules}) == len(rules)
    assert {each["defaultConfiguration"]["level"] for each in rules} == {"error", "warning", "note"}


def test_no_difference_is_a_run_without_results() -> None:
    run = run_of(report_of(plan_of(NOTHING)))
    assert run["results"] == []
    assert run["invocations"] == [{"executionSuccessful": True}]
    assert run["automationDetails"]["id"] == "envsync/acme/check/"


def test_levels_lines_and_places_are_what_a_reviewer_needs() -> None:
    found = results(report_of(plan_of(EVERYTHING)))
    by = {(each["message"]["text"].partition(":")[0], each["ruleId"]): each for each in found}
    assert {key: each["level"] for key, each in by.items() if key[0] in {"legacy", "web"}} == {
        ("legacy", "prevent-destroy"): "error",
        ("web", "lock-changed"): "note",
        ("web", "settings-changed"): "note",
        ("web", "packages-drifted"): "warning",
        ("web", "files-drifted"): "warning",
        ("web", "environment-damaged"): "warning",
        ("web", "files-edited"): "warning",
        ("web", "installed-by-hand"): "warning",
    }
    web = by["web", "installed-by-hand"]
    location = web["locations"][0]
    assert web["message"]["text"] == "web: six 1.16.0: installed by hand"
    assert location["physicalLocation"]["artifactLocation"] == {"uri": "deploy/envs.yaml", "uriBaseId": "%SRCROOT%"}
    assert [each["fullyQualifiedName"] for each in location["logicalLocations"]] == ["acme/web", "acme/web/six"]
    assert line(by["web", "files-drifted"]) == line(web) > 3
    assert line(by["old", "not-in-manifest"]) == 1
    assert "~ django 5.2.1 -> 5.2.4: lock changed" in by["web", "lock-changed"]["message"]["text"]


def test_fingerprints_stay_when_lines_or_sentences_move_and_tell_projects_apart() -> None:
    plan = plan_of(EVERYTHING)
    before = prints(report_of(plan))
    moved = report_of(plan, first_line=100)
    assert [line(each) for each in results(moved)] != [line(each) for each in results(report_of(plan))]
    assert prints(moved) == before
    reworded = tuple(
        replace(each, reasons=tuple(replace(reason, message="otherwise") for reason in each.reasons))
        for each in plan.environments
    )
    assert prints(report_of(replace(plan, environments=reworded))) == before
    assert not set(prints(report_of(replace(plan, project="other")))) & set(before)


def test_an_apply_reports_what_went_wrong_alone() -> None:
    plan = plan_of(EVERYTHING)
    done = results(applied(plan, status=Status.APPLIED))
    assert {each["level"] for each in done} == {"error"}, "what is blocked stays blocked"
    failed = {each["ruleId"] for each in results(applied(plan, status=Status.FAILED, collected=False))}
    assert {"probe-failed", "gc-failed"} <= failed
    (collection,) = [each for each in results(applied(plan, collected=False)) if each["ruleId"] == "gc-failed"]
    assert "logicalLocations" not in collection["locations"][0]
    assert run_of(applied(plan, status=Status.FAILED))["invocations"][0]["executionSuccessful"] is False


def test_of_too_many_results_the_heaviest_are_kept_and_the_rest_counted() -> None:
    plan = plan_of(EVERYTHING)
    pending = next(each for each in plan.environments if each.name == "old")
    drifted = next(each for each in plan.environments if each.name == "web")
    many = [replace(pending, name=f"old{number:05}") for number in range(MOST_RESULTS)]
    log = json.loads(sarif(report_of(replace(plan, environments=(*many, drifted)))))
    (run,) = log["runs"]
    assert len(run["results"]) == MOST_RESULTS
    assert run["results"][0]["level"] == "warning"
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("8 more results, none of them heavier, are left out")


def test_packages_changed_by_hand_are_bounded_an_environment() -> None:
    plan = plan_of(EVERYTHING)
    web = next(each for each in plan.environments if each.name == "web")
    six = next(each for each in web.packages if each.name == "six")
    packages = tuple(replace(six, name=f"six{number}") for number in range(1000))
    found = results(report_of(replace(plan, environments=(replace(web, packages=packages),))))
    assert sum(each["ruleId"] == "installed-by-hand" for each in found) == MOST_PACKAGES
    (whole,) = [each for each in found if each["ruleId"] == "packages-drifted"]
    assert whole["message"]["text"].endswith("and 961 more")


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("envs.yaml", {"uri": "envs.yaml", "uriBaseId": "%SRCROOT%"}),
        ("./a b/../caf\u00e9/x:y.yaml", {"uri": "caf%C3%A9/x%3Ay.yaml", "uriBaseId": "%SRCROOT%"}),
        ("/srv/envs.yaml", {"uri": "file:///srv/envs.yaml"}),
    ],
)
def test_the_manifest_is_named_relative_to_the_repository(file: str, uri: dict[str, str]) -> None:
    first, *_ = results(replace(report_of(plan_of(EVERYTHING)), file=file))
    assert first["locations"][0]["physicalLocation"]["artifactLocation"] == uri


def test_messages_hold_no_placeholder_and_no_link() -> None:
    assert message_text(["a {0} b", "[click](https://host.example)"]) == "a {{0}} b\n[click] (https://host.example)"


@given(text=texts, number=st.integers(0, 2))
@settings(max_examples=20)
def test_hostile_strings_are_inert(text: str, number: int) -> None:
    run_of(spoiled_report(hostile_reports()[number], text))


@pytest.mark.parametrize("nasty", NASTY, ids=ascii)
def test_every_nasty_one_alone_is_inert(nasty: str) -> None:
    for report in hostile_reports():
        run_of(spoiled_report(report, nasty))
