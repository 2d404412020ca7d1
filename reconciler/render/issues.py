"""What differs, failed or is blocked, as a list of issues for `sarif` and `gitlab`.

Drift is one issue for each package that was changed manually, and one for each finding. All other reasons of an
environment are one issue for each code; pending package changes are details of the reason that causes them. A reason
that only counts packages or findings (`files-drifted`) is an issue only if not all of them are. After an apply, only
what failed, is blocked or is held is still an issue.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.canonical_json import digest
from reconciler.diff.model import Origin, Reason, ReasonCode
from reconciler.events import EnvironmentFinished, Failure, Status
from reconciler.plan.model import Action, EnvironmentPlan
from reconciler.render.escape import sanitize
from reconciler.render.event_text import is_unsuccessful
from reconciler.render.hold_text import hold_text
from reconciler.render.issue_details import failure_details, finding_line, package_line, reason_details
from reconciler.render.issue_drift import DriftList, drift_code, finding_key, list_drift
from reconciler.render.report import Report
from reconciler.render.repository_path import environment_file_uri
from reconciler.render.rules import APPLY_FAILED, RULES, SEVERITY_OF_ORIGIN, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing that a reader should see; all texts are sanitized, `message` and each of `details` is one line.

    `code` is one of `reconciler.render.rules.RULES`. `environment`, `package` and `uri` are empty if the issue is not
    about one; `uri` names a file of the environment, relative to the root. `line` is the manifest's. `fingerprint` is
    hexadecimal and depends only on project, environment, code, package and file, so that it does not change with lines,
    versions, contents or messages.
    """

    code: str
    severity: Severity
    environment: str
    message: str
    line: int
    fingerprint: str
    package: str
    uri: str
    details: tuple[str, ...]


_STILL_DIFFERS = frozenset({Status.STAGED, Status.LEFT})  # nothing was published


def issues(report: Report) -> tuple[Issue, ...]:
    """Return a report's issues by environment; there are none exactly if nothing differs, is held or failed."""
    finished_by_name = report.finished
    found: list[Issue] = []
    for each in report.plan.changes:
        finished = finished_by_name.get(each.name)
        if finished is None or each.blocked or each.hold or finished.status in _STILL_DIFFERS:
            found += _planned(report, each)
        elif is_unsuccessful(finished):
            found.append(_unsuccessful(report, finished))
    if report.result is not None and report.result.failure is not None:
        found.append(_failed(report, "", report.result.failure, "old generations could not be deleted"))
    return tuple(found)


def _planned(report: Report, environment: EnvironmentPlan) -> Iterator[Issue]:
    """Yield the issues of one environment's plan; if it is blocked or held, its pending changes are only details.

    The first issue has the details of the environment: what would happen, why it could not be locked, and its hints.
    """
    drift = list_drift(environment)
    blocked = bool(environment.blocked or environment.hold)
    waiting = [each for each in environment.reasons if blocked and each.origin is Origin.PENDING]
    details: list[str] = []
    if waiting and environment.action is not Action.NO_OP:
        details.append(f"would {environment.action.value}: {_messages(waiting)}")
    details += failure_details(environment.failure) if environment.failure is not None else []
    details += [f"hint: {sanitize(each)}" for each in environment.hints]
    shown = [each for each in drift.reasons if not (blocked and each.origin is Origin.PENDING)]
    for issue in (
        *_held_issues(report, environment),
        *_reason_issues(report, environment, [*environment.blocked, *shown], drift),
        *_drift_issues(report, environment, drift),
    ):
        yield replace(issue, details=(*issue.details, *details))
        details = []


def _held_issues(report: Report, environment: EnvironmentPlan) -> Iterator[Issue]:
    """Yield that an environment is held, unless a blocking reason says so; a hold is intentional, so not severe."""
    if environment.hold and all(each.code is not ReasonCode.HELD for each in environment.blocked):
        yield _issue(
            report,
            code=ReasonCode.HELD,
            severity=Severity.PENDING,
            environment=environment.name,
            message=f"held: {hold_text(environment.hold)}",
        )


def _reason_issues(
    report: Report, environment: EnvironmentPlan, reasons: Sequence[Reason], drift: DriftList
) -> Iterator[Issue]:
    """Yield an issue for each code among the reasons."""
    for code in dict.fromkeys(each.code for each in reasons):
        of_code = [each for each in reasons if each.code is code]
        yield _issue(
            report,
            code=code,
            severity=_severity(code, of_code),
            environment=environment.name,
            message=_messages(of_code),
            details=[
                *_omitted_line(drift.omitted.get(code, Counter())),
                *(reason_details(environment, code) if code not in drift.replaced else ()),
            ],
        )


def _omitted_line(counts: Counter[str]) -> list[str]:
    """Return how many packages or findings have no issue of their own, as no line if all have."""
    numbers = ", ".join(f"{number} {code}" for code, number in counts.items())
    return [f"not listed one by one: {numbers}"] if numbers else []


def _drift_issues(report: Report, environment: EnvironmentPlan, drift: DriftList) -> Iterator[Issue]:
    """Yield an issue for each package that was changed manually, then for each finding."""
    for change in drift.packages:
        yield _issue(
            report,
            code=drift_code(change) or change.reason,
            severity=Severity.DRIFT,
            environment=environment.name,
            message=package_line(change),
            package=change.name,
        )
    for finding in drift.findings:
        yield _issue(
            report,
            code=finding.code,
            severity=RULES[finding.code].severity,
            environment=environment.name,
            message=finding_line(finding),
            package=finding.package,
            uri=environment_file_uri(environment.name, finding.path),
            identity=finding_key(finding),
            details=[sanitize(finding.detail)] if finding.detail else [],
        )


def _unsuccessful(report: Report, finished: EnvironmentFinished) -> Issue:
    """Return why an apply did not make an environment as planned."""
    failure = finished.failure or Failure(code=finished.status, message=finished.status.value, hint="")
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
    uri: str = "",
    identity: Sequence[str] = (),
    details: Sequence[str] = (),
) -> Issue:
    """Return an issue; `identity` identifies it in its environment, by default its code and its package."""
    identified = [report.plan.project, environment, *(identity or (code, package))]
    return Issue(
        code=str(code),
        severity=severity,
        environment=sanitize(environment),
        message=": ".join(each for each in (sanitize(environment), message or RULES[code].meaning) if each),
        line=report.line(environment),
        fingerprint=digest(identified).removeprefix("sha256:"),
        package=sanitize(package),
        uri=uri,
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
