"""What differs, failed or is blocked, one by one: the issues that `sarif` and `gitlab` list.

An environment has one issue for each code among its reasons, and one for each package that somebody changed by hand,
the first twenty; pending packages are details of the reason that brings them. After an apply only what went wrong is
an issue still.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.canonical_json import digest
from reconciler.diff.model import Origin, Reason, ReasonCode
from reconciler.events import EnvironmentFinished, Failure
from reconciler.plan.model import Action, EnvironmentPlan
from reconciler.render.escape import shown
from reconciler.render.event_text import went_wrong
from reconciler.render.issue_details import details_of, failure_details, package_line
from reconciler.render.report import Report
from reconciler.render.rules import APPLY_FAILED, RULES, WEIGHTS, Weight

MOST_PACKAGES = 20  # of one environment; more are in its own issue's details


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing that a reader should see; all texts are fit to show, `message` and each of `details` is one line.

    `code` is one of `reconciler.render.rules.RULES`; `environment` and `package` are empty where it is about none.
    `line` is the manifest's. `fingerprint` is hexadecimal and depends on project, environment, code and package alone:
    it stays when lines, versions or messages move.
    """

    code: str
    weight: Weight
    environment: str
    message: str
    line: int
    fingerprint: str
    package: str = ""
    details: tuple[str, ...] = ()


def issues(report: Report) -> tuple[Issue, ...]:
    """Return a report's issues, by environment; there is one exactly where something differs or went wrong."""
    ended = {each.environment: each for each in report.result.environments} if report.result else {}
    found: list[Issue] = []
    for each in report.plan.changes:
        end = ended.get(each.name)
        if end is None or each.blocked:
            found += _planned(report, each)
        elif went_wrong(end):
            found.append(_ended(report, end))
    if report.result is not None and report.result.failure is not None:
        found.append(_failed(report, "", report.result.failure, "the collection of old generations failed"))
    return tuple(found)


def _planned(report: Report, environment: EnvironmentPlan) -> Iterator[Issue]:
    """Yield what a plan says of one environment; of a blocked one, what is pending is only a detail."""
    waiting = [each for each in environment.reasons if each.origin is Origin.PENDING] if environment.blocked else []
    told = [*environment.blocked, *(each for each in environment.reasons if each not in waiting)]
    for number, code in enumerate(dict.fromkeys(each.code for each in told)):
        alike = [each for each in told if each.code is code]
        details = list(details_of(environment, code))
        if number == 0:
            if waiting and environment.action is not Action.NO_OP:
                details.append(f"would {environment.action.value}: {_messages(waiting)}")
            details += failure_details(environment.failure) if environment.failure is not None else []
            details += [f"hint: {shown(each)}" for each in environment.hints]
        yield _issue(
            report,
            code=code,
            weight=_weight(code, alike),
            environment=environment.name,
            message=_messages(alike),
            details=details,
        )
    gone = any(each.code is ReasonCode.GONE for each in environment.reasons)  # with every package: once is enough
    by_hand = [each for each in environment.packages if each.origin is not Origin.PENDING and not gone]
    for change in by_hand[:MOST_PACKAGES]:
        yield _issue(
            report,
            code=change.reason,
            weight=Weight.DRIFT,
            environment=environment.name,
            message=package_line(change),
            package=change.name,
        )


def _ended(report: Report, end: EnvironmentFinished) -> Issue:
    """Return what went wrong in an apply."""
    failure = end.failure or Failure(code=end.status, message=end.status.value)
    return _failed(report, end.environment, failure, shown(failure.message))


def _failed(report: Report, environment: str, failure: Failure, message: str) -> Issue:
    code = failure.code if failure.code in RULES else APPLY_FAILED
    details = failure_details(failure)
    return _issue(
        report,
        code=code,
        weight=Weight.FAILED,
        environment=environment,
        message=message,
        details=details if environment else [shown(failure.message), *details],
    )


def _issue(
    report: Report,
    *,
    code: str,
    weight: Weight,
    environment: str,
    message: str,
    package: str = "",
    details: Sequence[str] = (),
) -> Issue:
    return Issue(
        code=str(code),
        weight=weight,
        environment=shown(environment),
        message=": ".join(each for each in (shown(environment), message or RULES[code].says) if each),
        line=report.line(environment),
        fingerprint=digest([report.plan.project, environment, code, package]).removeprefix("sha256:"),
        package=shown(package),
        details=tuple(details),
    )


def _weight(code: ReasonCode, alike: Sequence[Reason]) -> Weight:
    """Return what a code weighs; what only drifted or is pending is as its origin says."""
    usual = RULES[code].weight
    if usual in {Weight.FAILED, Weight.BLOCKED}:
        return usual
    return min((WEIGHTS[each.origin] for each in alike), key=list(Weight).index)


def _messages(reasons: Sequence[Reason]) -> str:
    return "; ".join(shown(each.message) for each in reasons)
