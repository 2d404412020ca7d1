"""A report as JUnit XML, in the dialect of Jenkins' xUnit plugin (junit-10.xsd), which GitLab and most others read."""

from collections.abc import Sequence
from dataclasses import replace
from xml.etree import ElementTree as ET

from reconciler.diff.model import Origin, Reason, ReasonCode
from reconciler.events import EnvironmentFinished, Failure, Status
from reconciler.plan.model import EnvironmentPlan
from reconciler.render.drift_status import DriftStatus, drift_status
from reconciler.render.environment_text import environment_lines
from reconciler.render.escape import sanitize
from reconciler.render.event_text import is_unsuccessful
from reconciler.render.hold_text import hold_text
from reconciler.render.issue_details import failure_details
from reconciler.render.notes import general_notes, notes_text
from reconciler.render.report import Report
from reconciler.render.style import Palette

_WIDTH = 100  # columns


def junit(report: Report) -> str:
    """Return the report as one test suite with a case for each environment; it passes if nothing differs or failed.

    After an apply, a case has the apply's outcome and its seconds. The XML is ASCII; what XML 1.0 forbids is escaped.
    """
    finished_by_name = report.finished
    suite = ET.Element("testsuite", name=f"envsync {report.command}")
    for each in report.plan.environments:
        _case(suite, report, each, finished_by_name.get(each.name))
    if report.result is not None and report.result.failure is not None:
        case = ET.SubElement(suite, "testcase", classname=sanitize(report.plan.project), name="garbage collection")
        _error(case, report.result.failure)
    _notes(suite, general_notes(report.plan))
    counts = {"tests": "testcase", "failures": "testcase/failure", "errors": "testcase/error"}
    suite.attrib.update({name: str(len(suite.findall(path))) for name, path in counts.items()})
    if finished_by_name:
        suite.set("time", f"{sum(each.seconds for each in finished_by_name.values()):.3f}")
    ET.indent(suite)
    text = ET.tostring(suite, encoding="us-ascii").decode("ascii")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _case(
    suite: ET.Element, report: Report, environment: EnvironmentPlan, finished: EnvironmentFinished | None
) -> None:
    """Add an environment's test case."""
    case = ET.SubElement(suite, "testcase", classname=sanitize(report.plan.project), name=sanitize(environment.name))
    if finished is not None and finished.seconds:
        case.set("time", f"{finished.seconds:.3f}")
    if environment.failure is not None:
        _error(case, environment.failure)
    elif environment.hold and not environment.blocked and (finished is not None or not report.plan.counts(environment)):
        ET.SubElement(case, "skipped", message=f"held: {hold_text(environment.hold)}")
    elif environment.blocked or (finished is None and drift_status(environment) is not DriftStatus.OK):
        _failure(case, report, environment)
    elif finished is not None and is_unsuccessful(finished):
        failure = finished.failure or Failure(code=finished.status, message=finished.status.value, hint="")
        if finished.status is Status.BLOCKED:
            _outcome(case, "failure", failure)
        else:
            _error(case, failure)
    _notes(case, environment.notes)


def _notes(element: ET.Element, notes: Sequence[str]) -> None:
    """Add the notes of an environment or of the whole plan."""
    if notes:
        ET.SubElement(element, "system-out").text = notes_text(notes)


def _failure(case: ET.Element, report: Report, environment: EnvironmentPlan) -> None:
    """Add what differs, worded as in the plan's text; the first line is its place in the manifest."""
    first = (*environment.blocked, *_hold_reasons(environment), *environment.reasons)[0]
    without_notes = replace(environment, notes=())  # they have an element of their own
    lines = environment_lines(without_notes, name_width=0, palette=Palette.plain(), width=_WIDTH, verbose=0)
    place = f"{sanitize(report.file)}:{report.line(environment.name)}"
    failure = ET.SubElement(case, "failure", type=first.code.value, message=sanitize(first.message))
    failure.text = "\n".join([place, *lines]) + "\n"


def _hold_reasons(environment: EnvironmentPlan) -> list[Reason]:
    """Return the hold of an environment as a reason, nothing if it is not held."""
    if not environment.hold:
        return []
    return [Reason(code=ReasonCode.HELD, origin=Origin.PENDING, message=f"held: {hold_text(environment.hold)}")]


def _error(case: ET.Element, failure: Failure) -> None:
    _outcome(case, "error", failure)


def _outcome(case: ET.Element, kind: str, failure: Failure) -> None:
    """Add a failure. The text repeats the message, because GitLab shows only the text."""
    element = ET.SubElement(case, kind, type=sanitize(failure.code), message=sanitize(failure.message))
    element.text = "\n".join([sanitize(failure.message), *failure_details(failure)]) + "\n"
