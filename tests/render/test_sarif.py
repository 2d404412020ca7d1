"""SARIF: valid for every case plan, with one result for each issue and stable fingerprints."""

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.diff.model import Origin
from reconciler.events import Status
from reconciler.observe.actual import FindingCode
from reconciler.plan.model import EnvironmentPlan, Plan
from reconciler.render.issue_drift import MAX_PER_CODE
from reconciler.render.report import Report
from reconciler.render.rules import RULES
from reconciler.render.sarif import MAX_RESULTS, message_text, sarif
from tests.render.reports import (
    EVERYTHING,
    NOTHING,
    SCHEMAS,
    WORLDS,
    applied,
    drifted_plan,
    plan_of,
    replace_report_strings,
    report_of,
    reports_to_attack,
)
from tests.render.untrusted import NASTY, assert_clean_json, texts


def test_a_note_has_the_name_of_its_environment_if_it_has_one() -> None:
    plan = drifted_plan()
    noted = replace(plan, notes=("left out",), environments=(replace(plan.environments[0], notes=("a note", "")),))
    (run,) = json.loads(sarif(report_of(noted)))["runs"]
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert [each["message"]["text"] for each in notes] == ["left out", "web: a note", "web"]
    assert ["logicalLocations" in each["locations"][0] for each in notes] == [False, True, True]


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
        for related in each.get("relatedLocations", []):
            physical = related["physicalLocation"]
            assert physical["region"] == {"startLine": 1}, "GitHub requires one"
            assert physical["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
            uri = physical["artifactLocation"]["uri"]
            assert re.fullmatch(r"([\w.~-]|/|%[0-9A-F]{2})+", uri, re.ASCII), uri
            assert not {"", ".", ".."} & set(uri.split("/"))
            assert "](" not in each["message"]["text"], "GitHub would look for it in the repository"
    assert all("uri" not in base for base in run["originalUriBaseIds"].values()), "a path of this machine"
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
        each for each in found if each["locations"][0]["logicalLocations"][0]["name"] in blocked_or_held(plan)
    ]


def blocked_or_held(plan: Plan) -> set[str]:
    return {each.name for each in plan.environments if each.blocked or each.hold}


def test_every_reason_is_a_rule_with_a_level_and_texts() -> None:
    rules = valid_rules()
    assert {each["id"] for each in rules} == set(RULES)  # tests/render/test_issues.py: every code has a rule
    assert all(len(each["fullDescription"]["text"]) <= 1024 for each in rules), "GitHub cuts longer ones"
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
        ("web", "installed-by-hand"): "warning",
        ("web", "file-added"): "warning",
        ("web", "file-changed"): "warning",
        ("web", "file-missing"): "warning",
        ("web", "moved"): "warning",
    }
    web = by["web", "installed-by-hand"]
    location = web["locations"][0]
    assert web["message"]["text"] == "web: six 1.16.0: installed manually"
    assert location["physicalLocation"]["artifactLocation"] == {"uri": "deploy/envs.yaml", "uriBaseId": "%SRCROOT%"}
    assert [each["fullyQualifiedName"] for each in location["logicalLocations"]] == ["acme/web", "acme/web/six"]
    assert line(by["web", "file-added"]) == line(web) > 3
    assert line(by["demo", "destroy-requested"]) == 1
    assert "~ django 5.2.1 -> 5.2.4: lock changed" in by["web", "lock-changed"]["message"]["text"]


def test_a_finding_names_its_file_below_the_root_next_to_the_manifest() -> None:
    found = results(report_of(plan_of(EVERYTHING)))
    missing = next(each for each in found if each["ruleId"] == "file-missing")
    path = "lib/python3.12/site-packages/urllib3/util.py"
    assert missing["message"]["text"] == f"web: urllib3: 1 file missing: {path}"
    [manifest] = missing["locations"]
    assert manifest["physicalLocation"]["artifactLocation"]["uri"] == "deploy/envs.yaml"
    assert [each["fullyQualifiedName"] for each in manifest["logicalLocations"]] == ["acme/web", "acme/web/urllib3"]
    assert missing["relatedLocations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": f"web/{path}", "uriBaseId": "ENVIRONMENTS"},
                "region": {"startLine": 1},
            },
            "message": {"text": "in the environment web"},
        }
    ]
    assert all("relatedLocations" not in each for each in found if each["ruleId"] not in set(FindingCode))


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("a b.pth", "web/a%20b.pth"),
        ("100%.pth", "web/100%25.pth"),
        ("caf\u00e9 \u65e5.pth", "web/caf%C3%A9%20%E6%97%A5.pth"),
        ("{0}](x).pth", "web/%7B0%7D%5D%28x%29.pth"),
    ],
)
def test_the_names_of_files_are_percent_encoded(name: str, uri: str) -> None:
    [result] = results(report_of(drifted_plan({"code": "file-changed", "path": name})))
    [related] = result["relatedLocations"]
    assert related["physicalLocation"]["artifactLocation"]["uri"] == uri
    assert result["message"]["text"] == message_text([f"web: 1 file edited: {name}"])


def test_fingerprints_depend_on_the_project_but_not_on_lines_or_sentences() -> None:
    plan = plan_of(EVERYTHING)
    before = fingerprints(report_of(plan))
    moved = report_of(plan, first_line=100)
    assert [line(each) for each in results(moved)] != [line(each) for each in results(report_of(plan))]
    assert fingerprints(moved) == before
    reworded = tuple(reword(each) for each in plan.environments)
    assert fingerprints(report_of(replace(plan, environments=reworded))) == before
    assert not set(fingerprints(report_of(replace(plan, project="other")))) & set(before)


def reword(environment: EnvironmentPlan) -> EnvironmentPlan:
    """Return an environment whose pending reasons, versions, details and contents are different."""
    return replace(
        environment,
        reasons=tuple(
            each if each.origin is Origin.DRIFT else replace(each, message="otherwise") for each in environment.reasons
        ),
        packages=tuple(replace(each, before="0", after="1") for each in environment.packages),
        findings=tuple(replace(each, detail="otherwise", content="other") for each in environment.findings),
    )


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
    pending = next(each for each in plan.environments if each.name == "demo")
    drifted = next(each for each in plan.environments if each.name == "web")
    more = len(results(report_of(replace(plan, environments=(drifted,)))))
    many = [replace(pending, name=f"old{number:05}") for number in range(MAX_RESULTS)]
    log = json.loads(sarif(report_of(replace(plan, environments=(*many, drifted)))))
    (run,) = log["runs"]
    assert len(run["results"]) == MAX_RESULTS
    assert run["results"][0]["level"] == "warning"
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith(f"{more} more results of equal or lower severity were omitted")


def test_every_environment_keeps_a_result_of_each_code_if_results_are_omitted() -> None:
    edited = [{"code": "file-changed", "path": f"{number}.py"} for number in range(MAX_PER_CODE)]
    [environment] = drifted_plan(*edited, {"code": "file-added", "path": "stray.pth"}).environments
    many = tuple(replace(environment, name=f"web{number:03}") for number in range(MAX_RESULTS // MAX_PER_CODE))
    log = json.loads(sarif(report_of(replace(plan_of(EVERYTHING), environments=many))))
    found = log["runs"][0]["results"]
    assert len(found) == MAX_RESULTS
    kept = {(each["locations"][0]["logicalLocations"][0]["name"], each["ruleId"]) for each in found}
    assert kept == {(each.name, code) for each in many for code in ("file-added", "file-changed")}


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


@given(text=texts, number=st.integers(0, 3))
@settings(max_examples=20)
def test_untrusted_strings_are_inert(text: str, number: int) -> None:
    run_of(replace_report_strings(reports_to_attack()[number], text))


@pytest.mark.parametrize("nasty", NASTY, ids=ascii)
def test_each_untrusted_string_alone_is_inert(nasty: str) -> None:
    for report in reports_to_attack():
        run_of(replace_report_strings(report, nasty))
