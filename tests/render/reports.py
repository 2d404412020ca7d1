"""Reports of every case plan, and of applies with every outcome."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from reconciler.diff.findings import CATEGORIES
from reconciler.events import EnvironmentFinished, Failure, RunFinished, Status
from reconciler.observe.actual import FindingCode
from reconciler.plan.model import Action, Plan
from reconciler.render.report import Command, Report
from reconciler.render.rules import RULES
from tests.plan.build import world
from tests.render.pictures import load_plan
from tests.render.untrusted import replace_strings

CASES = Path(__file__).parent.parent / "cases"
WORLDS = sorted(CASES.glob("[pr]*/*.yaml"))  # plan and render
SCHEMAS = Path(__file__).parent.parent / "schemas"
EVERYTHING = CASES / "render" / "everything.yaml"
NOTHING = CASES / "render" / "nothing.yaml"
_FAILURES = {
    Status.FAILED: Failure(
        code="probe-failed", message="probe `import x` failed", hint="look at it", details=("Traceback", "\tboom")
    ),
    Status.HOOK_FAILED: Failure(code="hook-failed", message="hook `true` failed", hint=""),
    Status.UNHEALTHY: Failure(code="health-failed", message="health check `true` failed", hint=""),
    Status.ROLLED_BACK: Failure(
        code="rolled-back-after-failure", message="hook `true` failed; generation 1 is kept", hint=""
    ),
    Status.BLOCKED: Failure(code="dependency-failed", message="it depends on `web`", hint=""),
    Status.INTERRUPTED: Failure(code="interrupted", message="interrupted; nothing is half-done", hint=""),
}


@cache
def plan_of(world: Path) -> Plan:
    return load_plan(world)


def drifted_plan(*findings: dict[str, str], name: str = "web", **actual: Any) -> Plan:
    """Return the plan of one environment with `six`, in which these findings are drift."""
    same = {name: {"packages": {"six": "1.16.0"}}}
    return world({"manifest": same, "applied": same, "actual": {name: {"findings": list(findings), **actual}}}).plan()


def report_of(
    plan: Plan, *, command: Command = "check", first_line: int = 3, result: RunFinished | None = None
) -> Report:
    """Return a report whose environments are seven lines apart in the manifest, which lacks those to delete."""
    named = [each.name for each in plan.environments if each.action is not Action.DELETE]
    places = {name: f"deploy/envs.yaml:{first_line + 7 * number}:3" for number, name in enumerate(named)}
    return Report(plan=plan, command=command, file="deploy/envs.yaml", places=places, result=result)


def applied(plan: Plan, *, status: Status | None = None, collected: bool = True) -> Report:
    """Return the report of an apply that ended with `status` for each environment, by default with each in turn."""
    ends = [
        EnvironmentFinished(
            environment=each.name,
            status=(chosen := status or list(Status)[number % len(Status)]),
            action=each.action,
            generation=number,
            seconds=1000.25 * number,
            failure=each.failure or _FAILURES.get(chosen),
        )
        for number, each in enumerate(plan.environments)
    ]
    failure = None if collected else Failure(code="gc-failed", message="generation 3 could not be deleted", hint="")
    return report_of(plan, command="apply", result=RunFinished(environments=tuple(ends), failure=failure))


def replace_report_strings(report: Report, text: str) -> Report:
    """Return a report with every string of plan, result and file replaced."""
    places = {text: f"{text}:12:3"}
    plan, result = replace_strings(report.plan, text), replace_strings(report.result, text)
    return Report(plan=plan, command=report.command, file=text, places=places, result=result)


def reports_to_attack() -> list[Report]:
    """Return reports for `replace_report_strings`: all kinds of changes, none, after an apply, and all findings."""
    everything = plan_of(EVERYTHING)
    # A new code without words or without a rule fails in tests of its own, and not in every test of a format.
    codes = [each for each in FindingCode if each in CATEGORIES and each in RULES]
    findings = drifted_plan(*({"code": each, "path": f"bin/{each}", "detail": "wrong"} for each in codes))
    noted = replace(
        everything,
        notes=("a note",),
        remarks=("a remark",),
        environments=tuple(replace(each, notes=("a note",)) for each in everything.environments),
    )
    return [
        report_of(everything),
        report_of(noted),
        report_of(plan_of(NOTHING)),
        applied(everything, collected=False),
        report_of(findings),
    ]
