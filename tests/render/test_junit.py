"""JUnit XML: valid by Jenkins' schema for every case plan, and a JUnit parser finds in it what the plan has."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import Error, Failure, Skipped, TestCase, TestSuite
from xmlschema import XMLSchema

from reconciler.events import Status
from reconciler.render.junit import junit
from reconciler.render.report import Report
from tests.plan.build import world
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
from tests.render.untrusted import NASTY, assert_clean_text, texts


@cache
def schema() -> XMLSchema:
    return XMLSchema(SCHEMAS / "junit-10.xsd")


def suite_of(report: Report) -> TestSuite:
    """Return the suite of a report, held to the schema, its counts to its cases."""
    text = junit(report)
    assert text.isascii()
    assert_clean_text(text)
    schema().validate(ET.fromstring(text))  # noqa: S314  # our own
    suite = TestSuite.fromstring(text)
    assert isinstance(suite, TestSuite)
    cases = list(suite)
    assert (suite.tests, suite.failures, suite.errors) == (
        len(cases),
        sum(isinstance(each, Failure) for case in cases for each in case.result),
        sum(isinstance(each, Error) for case in cases for each in case.result),
    )
    return suite


def cases_of(report: Report) -> dict[str, TestCase]:
    return {each.name: each for each in suite_of(report)}


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
def test_every_plan_and_apply_is_valid_with_a_case_for_each_environment(path: Path) -> None:
    plan = plan_of(path)
    cases = cases_of(report_of(plan))
    assert list(cases) == [each.name for each in plan.environments]
    assert {name for name, case in cases.items() if not case.is_passed} == {each.name for each in plan.changes}
    errors = {name for name, case in cases.items() for each in case.result if isinstance(each, Error)}
    assert errors == set(plan.failures)
    suite_of(applied(plan))
    assert junit(report_of(plan)) == junit(report_of(plan))
    done = cases_of(applied(plan, status=Status.APPLIED))
    assert {name for name, case in done.items() if not case.is_passed} == {
        each.name for each in plan.environments if each.blocked or each.failure or each.hold
    }


def test_a_failure_has_the_text_of_the_plan_and_its_place_in_the_manifest() -> None:
    case = cases_of(report_of(plan_of(EVERYTHING)))["web"]
    (failure,) = case.result
    assert case.classname == "acme"
    assert (failure.type, failure.message) == ("lock-changed", "the lock changed")
    lines = failure.text.splitlines()
    assert lines[0].startswith("deploy/envs.yaml:")
    assert "  ~ web update: the lock changed;" in lines[1]
    assert any("- six" in each and "installed manually" in each for each in lines)


@pytest.mark.parametrize(("allowed", "kind"), [(False, Failure), (True, Skipped)])
def test_a_hold_fails_unless_it_is_allowed(allowed: bool, kind: type) -> None:
    same = {"web": {"packages": {"six": "1.0"}}}
    plan = world({"manifest": same, "applied": {"web": {**same["web"], "hold": "INC-42"}}}).plan()
    (result,) = cases_of(report_of(replace(plan, held_allowed=allowed)))["web"].result
    assert isinstance(result, kind)
    assert result.message.startswith("held: INC-42 (alice, ")


def test_the_suite_has_the_seconds_of_all_environments_after_an_apply() -> None:
    plan = plan_of(EVERYTHING)
    report = applied(plan)
    assert suite_of(report).time == sum(each.seconds for each in report.finished.values()) > 0
    assert suite_of(report_of(plan)).time in {None, 0}


def test_without_a_difference_every_case_passes() -> None:
    suite = suite_of(report_of(plan_of(NOTHING)))
    assert suite.name == "envsync check"
    assert suite.tests > 0
    assert (suite.failures, suite.errors) == (0, 0)


def test_an_apply_has_the_seconds_and_outcome_of_each_environment() -> None:
    plan = plan_of(EVERYTHING)
    ends = applied(plan, collected=False)
    assert ends.result is not None
    cases = cases_of(ends)
    blocked = {each.name for each in plan.environments if each.blocked}
    expected = {
        Status.APPLIED: (),
        Status.STAGED: (),
        Status.LEFT: (),
        Status.UNCHANGED: (),
        Status.HELD: (),
        Status.FAILED: (Error,),
        Status.HOOK_FAILED: (Error,),
        Status.UNHEALTHY: (Error,),
        Status.ROLLED_BACK: (Error,),
        Status.BLOCKED: (Failure,),
        Status.INTERRUPTED: (Error,),
    }
    seen = set()
    for end in ends.result.environments:
        case = cases[end.environment]
        assert (case.time or 0.0) == end.seconds
        if end.environment not in blocked:
            seen.add(end.status)
            assert tuple(type(each) for each in case.result) == expected[end.status]
    assert len(seen) > 3
    (collection,) = cases["garbage collection"].result
    assert collection.type == "gc-failed"
    probe = next(each for case in cases.values() for each in case.result if each.type == "probe-failed")
    assert probe.text.splitlines() == [
        "probe `import x` failed",
        "code: probe-failed",
        "Traceback",
        "    boom",
        "hint: look at it",
    ]


@given(text=st.one_of(texts, st.sampled_from(["]]>", "<!DOCTYPE x>", "<![CDATA[", "&lt;x&#0;", "--><x/>", "\uffff"])))
@settings(max_examples=40)
def test_untrusted_strings_are_inert(text: str) -> None:
    for report in reports_to_attack():
        attacked = suite_of(replace_report_strings(report, text))
        assert attacked.tests == suite_of(report).tests, "no text adds or removes a case"


@pytest.mark.parametrize("nasty", NASTY, ids=ascii)
def test_each_untrusted_string_alone_is_inert(nasty: str) -> None:
    for report in reports_to_attack():
        suite_of(replace_report_strings(report, nasty))
