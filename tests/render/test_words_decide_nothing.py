"""Reports have the same codes, severities and places if every sentence in plan and result is a different one."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from reconciler.diff.findings import PATHS_IN_PHRASES, PHRASES
from reconciler.diff.model import ReasonCode
from reconciler.events import LOCK_FAILED, Failure
from reconciler.observe.actual import Finding
from reconciler.plan.model import Plan
from reconciler.render.drift_status import drift_status
from reconciler.render.environment_text import environment_label, failure_is_described, findings_to_list
from reconciler.render.finding_text import phrase_names_path
from reconciler.render.formats import Format, render_report
from reconciler.render.issue_drift import list_drift
from reconciler.render.issues import issues
from reconciler.render.report import Command, Report
from reconciler.render.summary import report_summary
from tests.plan.reworded import WORDS, reworded
from tests.render.reports import WORLDS, applied, plan_of, report_of

COMMANDS: tuple[Command, ...] = ("plan", "check", "apply")
SARIF_WITHOUT_WORDS = ("ruleId", "ruleIndex", "level", "locations", "partialFingerprints")


def reports_of(plan: Plan, command: Command) -> tuple[Report, Report]:
    """Return the report of a command, and the same report in other words."""
    if command != "apply":
        return report_of(plan, command=command), report_of(reworded(plan), command=command)
    report = applied(plan, collected=False)
    assert report.result is not None
    ends = tuple(replace(each, failure=other_words(each.failure)) for each in report.result.environments)
    result = replace(report.result, environments=ends, failure=other_words(report.result.failure))
    return report, replace(report, plan=reworded(plan), result=result)


def other_words(failure: Failure | None) -> Failure | None:
    if failure is None:
        return None
    hint = WORDS if failure.hint else ""
    return replace(failure, message=WORDS, hint=hint, details=tuple(WORDS for _ in failure.details))


def codes(report: Report) -> Iterator[Any]:
    """Yield what a program reads in a report: all of it, except for sentences."""
    for issue in issues(report):
        yield replace(issue, message="", details=()), len(issue.details)
    for result in json.loads(render_report(report, Format.SARIF))["runs"][0]["results"]:
        yield {key: result[key] for key in SARIF_WITHOUT_WORDS}
    for finding in json.loads(render_report(report, Format.GITLAB)):
        yield {key: value for key, value in finding.items() if key != "description"}
    for element in ET.fromstring(render_report(report, Format.JUNIT)).iter():  # noqa: S314  # our own
        yield element.tag, {key: value for key, value in element.items() if key != "message"}
    for line in render_report(report, Format.GITHUB).splitlines():
        yield line.split("::")[1] if line.startswith("::") else line
    yield re.findall(r"^#+ .*$", render_report(report, Format.MARKDOWN), re.MULTILINE)
    yield report_summary(report)
    for each in report.plan.environments:
        described = failure_is_described(each, report.finished.get(each.name))
        yield drift_status(each), environment_label(each), described, len(findings_to_list(each))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("world", WORLDS, ids=lambda path: path.stem)
def test_codes_are_the_same_in_other_words(world: Path, command: Command) -> None:
    report, in_other_words = reports_of(plan_of(world), command)
    assert list(codes(in_other_words)) == list(codes(report))


def test_the_worlds_have_every_code_of_a_package_that_changed_on_both_sides() -> None:
    """Without these, the test above would prove little."""
    both = {each.drift_reason for world in WORLDS for one in plan_of(world).environments for each in one.packages}
    assert both >= {
        None,
        ReasonCode.INSTALLED_BY_HAND,
        ReasonCode.REMOVED_BY_HAND,
        ReasonCode.CHANGED_BY_HAND,
        ReasonCode.ALREADY_AS_DESIRED,
        ReasonCode.FILES_EDITED,
        ReasonCode.METADATA_DAMAGED,
    }


def test_the_paths_that_are_not_repeated_are_those_that_the_words_name() -> None:
    phrases = {code: phrase for each in PHRASES.values() for code, phrase in each.items()}
    named = {code: phrase for code, phrase in phrases.items() if "pyvenv.cfg" in phrase or "bin/python" in phrase}
    assert PATHS_IN_PHRASES.keys() == named.keys()
    for code, path in PATHS_IN_PHRASES.items():
        assert path in named[code]
        assert phrase_names_path(Finding(code=code, path=path))
        assert not phrase_names_path(Finding(code=code, path="lib/python3.12/site-packages/x.py"))


def test_the_code_that_decides_the_exit_code_is_that_of_the_plan() -> None:
    assert LOCK_FAILED == ReasonCode.LOCK_FAILED


def test_a_plan_of_format_1_0_says_that_packages_changed_if_it_does_not_say_how() -> None:
    """`drift_reason` was added in format 1.1."""
    [world] = [each for each in WORLDS if each.stem == "both"]
    plan = plan_of(world)
    [environment] = plan.environments
    assert ReasonCode.PACKAGES_DRIFTED in list_drift(environment).replaced
    packages = tuple(replace(each, drift_reason=None) for each in environment.packages)
    old = list_drift(replace(environment, packages=packages))
    assert old.replaced == set()
    assert ReasonCode.PACKAGES_DRIFTED in {each.code for each in old.reasons}
