"""What differs, failed or is blocked, as a list of issues for `sarif` and `gitlab`.

An environment has one issue for each code among its reasons, and one for each of the first twenty packages that were
changed manually. Pending package changes are details of the reason that causes them. After an apply, only what failed
or is blocked is still an issue.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.canonical_json import digest
from reconciler.diff.model import Origin, Reason, ReasonCode
from reconciler.events import EnvironmentFinished, Failure
from reconciler.plan.model import Action, EnvironmentPlan
from reconciler.render.escape import sanitize
from reconciler.render.event_text import is_unsuccessful
from reconciler.render.issue_details import failure_details, package_line, reason_details
from reconciler.render.report import Report
from reconciler.render.rules import APPLY_FAILED, RULES, SEVERITY_OF_ORIGIN, Severity

MAX_PACKAGES = 20  # of one environment; the issue of the environment itself lists more


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing that a reader should see; all texts are sanitized, `message` and each of `details` is one line.

    `code` is one of `reconciler.render.rules.RULES`. `environment` and `package` are empty if the issue is not about
    one. `line` is the manifest's. `fingerprint` is hexadecimal and depends only on project, environment, code and
    package, so that it does not change with lines, versions or messages.
    """

    code: str
    severity: Severity
    environment: str
    message: str
    line: int
    fingerprint: str
    package: str = ""
    details: tuple[str, ...] = ()


def issues(report: Report) -> tuple[Issue, ...]:
    """Return a report's issues by environment; there are none exactly if nothing differs and nothing failed."""
    finished_by_name = report.finished
    found: list[Issue] = []
    for each in report.plan.changes:
        finished = finished_by_name.get(each.name)
        if finished is None or each.blocked:
            found += _planned(report, each)
        elif is_unsuccessful(finished):
            found.append(_unsuccessful(report, finished))
    if report.result is not None and report.result.failure is not None:
        found.append(_failed(report, "", report.result.failure, "old generations could not be deleted"))
    return tuple(found)


def _planned(report: Report, environment: EnvironmentPlan) -> Iterator[Issue]:
    """Yield the issues of one environment's plan; if it is blocked, its pending changes are only details."""
    waiting = [each for each in environment.reasons if each.origin is Origin.PENDING] if environment.blocked else []
    reasons = [*environment.blocked, *(each for each in environment.reasons if each not in waiting)]
    for number, code in enumerate(dict.fromkeys(each.code for each in reasons)):
        of_code = [each for each in reasons if each.code is code]
        details = reason_details(environment, code)
        if number == 0:
            if waiting and environment.action is not Action.NO_OP:
                details.append(f"would {environment.action.value}: {_messages(waiting)}")
            details += failure_details(environment.failure) if environment.failure is not None else []
            details += [f"hint: {sanitize(each)}" for each in environment.hints]
        yield _issue(
            report,
            code=code,
            severity=_severity(code, of_code),
            environment=environment.name,
            message=_messages(of_code),
            details=details,
        )
    # If the whole environment is gone, its packages need no issues of their own.
    gone = any(each.code is ReasonCode.GONE for each in environment.reasons)
    drifted = [each for each in environment.packages if each.origin is not Origin.PENDING and not gone]
    for change in drifted[:MAX_PACKAGES]:
        yield _issue(
            report,
            code=change.reason,
            severity=Severity.DRIFT,
            environment=environment.name,
            message=package_line(change),
            package=change.name,
        )


def _unsuccessful(report: Report, finished: EnvironmentFinished) -> Issue:
    """Return why an apply did not make an environment as planned."""
    failure = finished.failure or Failure(code=finished.status, message=finished.status.value)
    return _failed(report, finished.environment, failure, sanitize(failure.message))


def _failed(report: Report, environment: str, failure: Failure, message: str) -> Issue:
    code = failure.code if failure.code in RULES else APPLY_FAILED
    details = failure_details(failure)
    return _issue(
        report,
        code=code,
        severity=Severity.FAILED,
        environment=environment,
        message=message,
        details=details if environment else [sanitize(failure.message), *details],
    )


def _issue(
    report: Report,
    *,
    code: str,
    severity: Severity,
    environment: str,
    message: str,
    package: str = "",
    details: Sequence[str] = (),
) -> Issue:
    return Issue(
        code=str(code),
        severity=severity,
        environment=sanitize(environment),
        message=": ".join(each for each in (sanitize(environment), message or RULES[code].meaning) if each),
        line=report.line(environment),
        fingerprint=digest([report.plan.project, environment, code, package]).removeprefix("sha256:"),
        package=sanitize(package),
        details=tuple(details),
    )


def _severity(code: ReasonCode, reasons: Sequence[Reason]) -> Severity:
    """Return a code's severity; that of drift and pending changes depends on the reasons' origins."""
    usual = RULES[code].severity
    if usual in {Severity.FAILED, Severity.BLOCKED}:
        return usual
    return min((SEVERITY_OF_ORIGIN[each.origin] for each in reasons), key=list(Severity).index)


def _messages(reasons: Sequence[Reason]) -> str:
    return "; ".join(sanitize(each.message) for each in reasons)
