"""A report as JUnit XML, in the dialect of Jenkins' xUnit plugin (junit-10.xsd), which GitLab and most others read."""

from xml.etree import ElementTree as ET

from reconciler.events import EnvironmentFinished, Failure, Status
from reconciler.plan.model import EnvironmentPlan
from reconciler.render.drift_status import Standing, standing
from reconciler.render.environment_text import environment_lines
from reconciler.render.escape import shown
from reconciler.render.event_text import went_wrong
from reconciler.render.issue_details import failure_details
from reconciler.render.report import Report
from reconciler.render.style import Palette

_WIDTH = 100  # columns


def junit(report: Report) -> str:
    """Return the report as one test suite: a case an environment, which passes where nothing differs or went wrong.

    Of what `apply` did, how it ended and its seconds. ASCII; whatever XML 1.0 forbids is escaped as text.
    """
    ended = {each.environment: each for each in report.result.environments} if report.result else {}
    suite = ET.Element("testsuite", name=f"envsync {report.command}")
    for each in report.plan.environments:
        _case(suite, report, each, ended.get(each.name))
    if report.result is not None and report.result.failure is not None:
        case = ET.SubElement(suite, "testcase", classname=shown(report.plan.project), name="garbage collection")
        _error(case, report.result.failure)
    counts = {"tests": "testcase", "failures": "testcase/failure", "errors": "testcase/error"}
    suite.attrib.update({name: str(len(suite.findall(path))) for name, path in counts.items()})
    if ended:
        suite.set("time", f"{sum(each.seconds for each in ended.values()):.3f}")
    ET.indent(suite)
    text = ET.tostring(suite, encoding="us-ascii", xml_declaration=False).decode("ascii")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _case(suite: ET.Element, report: Report, environment: EnvironmentPlan, end: EnvironmentFinished | None) -> None:
    """Add an environment's test case."""
    case = ET.SubElement(suite, "testcase", classname=shown(report.plan.project), name=shown(environment.name))
    if end is not None and end.seconds:
        case.set("time", f"{end.seconds:.3f}")
    if environment.failure is not None:
        _error(case, environment.failure)
    elif environment.blocked or (end is None and standing(environment) is not Standing.OK):
        _failure(case, report, environment)
    elif end is not None and went_wrong(end):
        failure = end.failure or Failure(code=end.status, message=end.status.value)
        if end.status is Status.BLOCKED:
            _outcome(case, "failure", failure)
        else:
            _error(case, failure)


def _failure(case: ET.Element, report: Report, environment: EnvironmentPlan) -> None:
    """Add what differs, as the text of the plan has it; its first line is where the manifest declares it."""
    first = (*environment.blocked, *environment.reasons)[0]
    lines = environment_lines(environment, name_width=0, palette=Palette.plain(), width=_WIDTH, verbose=0)
    place = f"{shown(report.file)}:{report.line(environment.name)}"
    failure = ET.SubElement(case, "failure", type=first.code.value, message=shown(first.message))
    failure.text = "\n".join([place, *lines]) + "\n"


def _error(case: ET.Element, failure: Failure) -> None:
    _outcome(case, "error", failure)


def _outcome(case: ET.Element, kind: str, failure: Failure) -> None:
    """Add a failure. Its message is in the text, too: GitLab reads nothing else."""
    told = ET.SubElement(case, kind, type=shown(failure.code), message=shown(failure.message))
    told.text = "\n".join([shown(failure.message), *failure_details(failure)]) + "\n"
