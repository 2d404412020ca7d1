"""GitLab's Code Quality report: valid for every case plan, with unique fingerprints that do not depend on lines."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.events import Status
from reconciler.render.gitlab import NOTE, gitlab
from reconciler.render.issue_drift import MAX_PER_CODE
from reconciler.render.report import Report
from reconciler.render.rules import RULES
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


@cache
def validator() -> Draft202012Validator:
    schema = json.loads((SCHEMAS / "gitlab-code-quality.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def findings(report: Report) -> list[dict[str, Any]]:
    text = gitlab(report)
    assert_clean_json(text)
    found = json.loads(text)
    validator().validate(found)
    for each in found:
        assert "\n" not in each["description"]
        assert each["check_name"].removeprefix("envsync/") in {*RULES, NOTE}
    assert isinstance(found, list)
    return found


def fingerprints(report: Report) -> list[str]:
    return [each["fingerprint"] for each in findings(report)]


@pytest.mark.parametrize("world", WORLDS, ids=lambda path: path.stem)
def test_every_plan_and_apply_is_valid_with_unique_fingerprints(world: Path) -> None:
    plan = plan_of(world)
    differences = [each for each in findings(report_of(plan)) if each["check_name"] != f"envsync/{NOTE}"]
    assert bool(differences) is plan.has_difference
    for report in (report_of(plan), applied(plan)):
        marks = fingerprints(report)
        assert len(set(marks)) == len(marks), "GitLab keeps one finding for each fingerprint"
    assert gitlab(report_of(plan)) == gitlab(report_of(plan))


def test_no_difference_is_an_empty_array() -> None:
    assert gitlab(report_of(plan_of(NOTHING))) == "[]\n"


def test_severities_depend_on_the_origin() -> None:
    found = findings(report_of(plan_of(EVERYTHING)))
    by_name_and_rule = {(each["description"].partition(":")[0], each["check_name"]): each for each in found}
    assert by_name_and_rule["legacy", "envsync/prevent-destroy"]["severity"] == "critical"
    assert by_name_and_rule["old", "envsync/deletes-wait"]["severity"] == "critical"
    assert by_name_and_rule["web", "envsync/installed-by-hand"]["severity"] == "major"
    assert by_name_and_rule["web", "envsync/file-added"]["severity"] == "major"
    assert by_name_and_rule["web", "envsync/lock-changed"]["severity"] == "info"
    assert by_name_and_rule["web", "envsync/file-changed"]["location"]["path"] == "deploy/envs.yaml"
    assert by_name_and_rule["demo", "envsync/destroy-requested"]["location"]["lines"]["begin"] == 1
    failed = findings(applied(plan_of(EVERYTHING), status=Status.FAILED))
    assert {each["severity"] for each in failed} == {"blocker", "critical"}
    assert by_name_and_rule["web", "envsync/settings-changed"]["description"].endswith("; and 3 more)")


def test_a_finding_has_its_code_and_its_file() -> None:
    path = "lib/python3.12/site-packages/a b\u65e5 100%.pth"
    stray = {"code": "file-added", "path": path, "detail": "not part of the generation"}
    [found] = findings(report_of(drifted_plan(stray)))
    assert found["check_name"] == "envsync/file-added"
    assert found["description"] == f"web: 1 file added: {path} (not part of the generation)"
    assert found["location"] == {"path": "deploy/envs.yaml", "lines": {"begin": 3}}


def test_many_files_have_a_finding_each_up_to_the_limit() -> None:
    edited = ({"code": "file-changed", "path": f"bin/{number:03}"} for number in range(300))
    found = findings(report_of(drifted_plan(*edited)))
    assert [each["check_name"] for each in found] == [
        "envsync/files-drifted", *["envsync/file-changed"] * MAX_PER_CODE
    ]  # fmt: skip
    assert found[0]["description"].startswith("web: 300 files edited (not listed one by one: 280 file-changed; ")


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, " (hint: 0)"), (3, " (hint: 0; hint: 1; hint: 2)"), (4, " (hint: 0; hint: 1; hint: 2; and 1 more)")],
)
def test_a_description_has_the_first_three_details(number: int, words: str) -> None:
    plan = drifted_plan({"code": "moved"})
    hinted = tuple(replace(each, hints=tuple(map(str, range(number)))) for each in plan.environments)
    [found] = findings(report_of(replace(plan, environments=hinted)))
    assert found["description"].partition(" (")[0] == "web: its scripts name a different path"
    assert found["description"].endswith(words)


def test_fingerprints_do_not_depend_on_the_place() -> None:
    plan = plan_of(EVERYTHING)
    original, moved = report_of(plan), report_of(plan, first_line=500)
    assert gitlab(original) != gitlab(moved)
    assert fingerprints(original) == fingerprints(moved)
    assert fingerprints(replace(original, file="elsewhere/envs.yaml")) == fingerprints(original)
    assert fingerprints(replace(original, command="plan")) == fingerprints(original)


def test_paths_do_not_begin_with_a_dot() -> None:
    first, *_ = findings(replace(report_of(plan_of(EVERYTHING)), file="./envs.yaml"))
    assert first["location"]["path"] == "envs.yaml"


@given(text=texts, number=st.integers(0, 3))
def test_untrusted_strings_are_inert(text: str, number: int) -> None:
    findings(replace_report_strings(reports_to_attack()[number], text))


@pytest.mark.parametrize("nasty", NASTY, ids=ascii)
def test_each_untrusted_string_alone_is_inert(nasty: str) -> None:
    for report in reports_to_attack():
        findings(replace_report_strings(report, nasty))
