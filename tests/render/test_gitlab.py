"""GitLab's Code Quality report: valid for every case plan; fingerprints unique, and stable against moved lines."""

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
from reconciler.render.gitlab import gitlab
from reconciler.render.report import Report
from reconciler.render.rules import RULES
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
        assert each["check_name"].removeprefix("envsync/") in RULES
    assert isinstance(found, list)
    return found


def prints(report: Report) -> list[str]:
    return [each["fingerprint"] for each in findings(report)]


@pytest.mark.parametrize("world", WORLDS, ids=lambda path: path.stem)
def test_every_plan_and_apply_is_valid_and_every_finding_its_own(world: Path) -> None:
    plan = plan_of(world)
    assert bool(findings(report_of(plan))) is plan.has_difference
    for report in (report_of(plan), applied(plan)):
        marks = prints(report)
        assert len(set(marks)) == len(marks), "GitLab keeps one finding a fingerprint"
    assert gitlab(report_of(plan)) == gitlab(report_of(plan))


def test_no_difference_is_an_empty_array() -> None:
    assert gitlab(report_of(plan_of(NOTHING))) == "[]\n"


def test_severities_follow_whose_hand_it_was() -> None:
    found = findings(report_of(plan_of(EVERYTHING)))
    by = {(each["description"].partition(":")[0], each["check_name"]): each for each in found}
    assert by["legacy", "envsync/prevent-destroy"]["severity"] == "critical"
    assert by["web", "envsync/packages-drifted"]["severity"] == "major"
    assert by["web", "envsync/lock-changed"]["severity"] == "info"
    assert by["web", "envsync/files-edited"]["location"]["path"] == "deploy/envs.yaml"
    assert by["old", "envsync/not-in-manifest"]["location"]["lines"]["begin"] == 1
    failed = findings(applied(plan_of(EVERYTHING), status=Status.FAILED))
    assert {each["severity"] for each in failed} == {"blocker", "critical"}
    assert by["web", "envsync/settings-changed"]["description"].endswith("; and 2 more)")


def test_moving_the_environment_changes_no_fingerprint() -> None:
    plan = plan_of(EVERYTHING)
    here, there = report_of(plan), report_of(plan, first_line=500)
    assert gitlab(here) != gitlab(there)
    assert prints(here) == prints(there)
    assert prints(replace(here, file="elsewhere/envs.yaml")) == prints(here)
    assert prints(replace(here, command="plan")) == prints(here)


def test_a_path_begins_with_no_dot() -> None:
    first, *_ = findings(replace(report_of(plan_of(EVERYTHING)), file="./envs.yaml"))
    assert first["location"]["path"] == "envs.yaml"


@given(text=texts, number=st.integers(0, 2))
def test_hostile_strings_are_inert(text: str, number: int) -> None:
    findings(spoiled_report(hostile_reports()[number], text))


@pytest.mark.parametrize("nasty", NASTY, ids=ascii)
def test_every_nasty_one_alone_is_inert(nasty: str) -> None:
    for report in hostile_reports():
        findings(spoiled_report(report, nasty))
