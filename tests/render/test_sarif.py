"""SARIF: valid for every case plan, with one result for each issue and stable fingerprints."""

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
from reconciler.render.issues import MAX_PACKAGES
from reconciler.render.report import Report
from reconciler.render.rules import RULES
from reconciler.render.sarif import MAX_RESULTS, message_text, sarif
from tests.render.reports import (
    EVERYTHING,
    NOTHING,
    SCHEMAS,
    WORLDS,
    applied,
    plan_of,
    replace_report_strings,
    report_of,
    reports_to_attack,
)
from tests.render.untrusted import NASTY, assert_clean_json, texts


@cache
def validator() -> Draft202012Validator:
    schema = json.loads((SCHEMAS / "sarif-2.1.0.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


@cache
def valid_rules() -> Any:
    """Return the rules, which are the same in every log, so that they are validated only once."""
    log = json.loads(sarif(report_of(plan_of(NOTHING))))
    validator().validate(log)
    return log["runs"][0]["tool"]["driver"]["rules"]


def run_of(report: Report) -> dict[str, Any]:
    """Return the run of a report's log; assert that it is valid for the schema and for GitHub."""
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


def fingerprints(report: Report, name: str = "primaryLocationLineHash") -> list[str]:
    return [each["partialFingerprints"][name] for each in results(report)]


def line(result: dict[str, Any]) -> Any:
    return result["locations"][0]["physicalLocation"]["region"]["startLine"]


@pytest.mark.parametrize("world", WORLDS, ids=lambda path: path.stem)
def test_every_plan_and_apply_is_valid_by_the_schema(world: Path) -> None:
    plan = plan_of(world)
    found = results(report_of(plan))
    assert bool(found) is plan.has_difference
    names = {each["locations"][0]["logicalLocations"][0]["name"] for each in found}
    assert names == {each.name for each in plan.changes}
    for name in ("envsync/v1", "primaryLocationLineHash"):
        marks = [each["partialFingerprints"][name] for each in found]
        assert len(set(marks)) == len(marks)
    assert sarif(report_of(plan)) == sarif(report_of(plan))
    run_of(applied(plan))
    successful = results(applied(plan, status=Status.APPLIED))
    assert successful == [
        each for each in found if each["locations"][0]["logicalLocations"][0]["name"] in blocked(plan)
    ]


def blocked(plan: Plan) -> set[str]:
    return {each.name for each in plan.environments if each.blocked}


def test_every_reason_is_a_rule_with_a_level_and_texts() -> None:
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


def test_levels_lines_and_locations() -> None:
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
    assert web["message"]["text"] == "web: six 1.16.0: installed manually"
    assert location["physicalLocation"]["artifactLocation"] == {"uri": "deploy/envs.yaml", "uriBaseId": "%SRCROOT%"}
    assert [each["fullyQualifiedName"] for each in location["logicalLocations"]] == ["acme/web", "acme/web/six"]
    assert line(by["web", "files-drifted"]) == line(web) > 3
    assert line(by["old", "not-in-manifest"]) == 1
    assert "~ django 5.2.1 -> 5.2.4: lock changed" in by["web", "lock-changed"]["message"]["text"]


def test_fingerprints_depend_on_the_project_but_not_on_lines_or_sentences() -> None:
    plan = plan_of(EVERYTHING)
    before = fingerprints(report_of(plan))
    moved = report_of(plan, first_line=100)
    assert [line(each) for each in results(moved)] != [line(each) for each in results(report_of(plan))]
    assert fingerprints(moved) == before
    reworded = tuple(
        replace(each, reasons=tuple(replace(reason, message="otherwise") for reason in each.reasons))
        for each in plan.environments
    )
    assert fingerprints(report_of(replace(plan, environments=reworded))) == before
    assert not set(fingerprints(report_of(replace(plan, project="other")))) & set(before)


def test_an_apply_reports_only_failures() -> None:
    plan = plan_of(EVERYTHING)
    done = results(applied(plan, status=Status.APPLIED))
    assert {each["level"] for each in done} == {"error"}, "a blocked environment is still an error"
    failed = {each["ruleId"] for each in results(applied(plan, status=Status.FAILED, collected=False))}
    assert {"probe-failed", "gc-failed"} <= failed
    (collection,) = [each for each in results(applied(plan, collected=False)) if each["ruleId"] == "gc-failed"]
    assert "logicalLocations" not in collection["locations"][0]
    assert run_of(applied(plan, status=Status.FAILED))["invocations"][0]["executionSuccessful"] is False


def test_the_most_severe_results_are_kept_and_the_rest_counted() -> None:
    plan = plan_of(EVERYTHING)
    pending = next(each for each in plan.environments if each.name == "old")
    drifted = next(each for each in plan.environments if each.name == "web")
    many = [replace(pending, name=f"old{number:05}") for number in range(MAX_RESULTS)]
    log = json.loads(sarif(report_of(replace(plan, environments=(*many, drifted)))))
    (run,) = log["runs"]
    assert len(run["results"]) == MAX_RESULTS
    assert run["results"][0]["level"] == "warning"
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("8 more results of equal or lower severity were omitted")


def test_the_number_of_drifted_packages_of_an_environment_is_limited() -> None:
    plan = plan_of(EVERYTHING)
    web = next(each for each in plan.environments if each.name == "web")
    six = next(each for each in web.packages if each.name == "six")
    packages = tuple(replace(six, name=f"six{number}") for number in range(1000))
    found = results(report_of(replace(plan, environments=(replace(web, packages=packages),))))
    assert sum(each["ruleId"] == "installed-by-hand" for each in found) == MAX_PACKAGES
    (issue,) = [each for each in found if each["ruleId"] == "packages-drifted"]
    assert issue["message"]["text"].endswith("and 961 more")


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
def test_untrusted_strings_are_inert(text: str, number: int) -> None:
    run_of(replace_report_strings(reports_to_attack()[number], text))


@pytest.mark.parametrize("nasty", NASTY, ids=ascii)
def test_each_untrusted_string_alone_is_inert(nasty: str) -> None:
    for report in reports_to_attack():
        run_of(replace_report_strings(report, nasty))
