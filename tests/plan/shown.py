"""A plan in the form that the cases use: short lines, without empty values."""

from typing import Any

from reconciler.canonical_json import canonical_text
from reconciler.diff.model import PackageChange, Reason, SettingChange
from reconciler.plan.model import Action, EnvironmentPlan, Plan, Step


def shown(plan: Plan) -> dict[str, Any]:
    """Return every environment of a plan as the cases show it."""
    return {each.name: shown_environment(each) for each in plan.environments}


def shown_environment(plan: EnvironmentPlan) -> dict[str, Any]:
    python = f"{plan.python_before or 'none'} -> {plan.python_after or 'none'}"
    lines: dict[str, Any] = {
        "action": plan.action.value,
        "renamed_from": plan.renamed_from,
        "staged": plan.staged,
        "reasons": [_reason(each) for each in plan.reasons],
        "python": python if plan.python_before != plan.python_after and plan.action is not Action.NO_OP else "",
        "packages": [_package(each) for each in plan.packages],
        "settings": [_setting(each) for each in plan.settings],
        "findings": [" ".join(part for part in (each.code, each.package, each.path) if part) for each in plan.findings],
        "blocked": [_reason(each) for each in plan.blocked],
        "hints": list(plan.hints),
        "notes": list(plan.notes),
        "steps": [_step(step, before) for step, before in zip(plan.steps, [None, *plan.steps], strict=False)],
        "count": plan.package_count if plan.action not in {Action.NO_OP, Action.UPDATE} else 0,
        "incomplete": not plan.complete,
        "hold": f"{plan.hold.by}: {plan.hold.reason}" if plan.hold else "",
        "failure": f"{plan.failure.code}: {plan.failure.message}" if plan.failure else "",
    }
    return {key: value for key, value in lines.items() if value}


def shown_result(plan: Plan) -> dict[str, Any]:
    """Return the results of a plan as a whole."""
    summary = plan.summary
    counts = {name: getattr(summary, name) for name in type(summary).__slots__}
    return {
        "applyable": plan.applyable,
        "complete": plan.complete,
        "difference": plan.has_difference,
        "locks": sorted(plan.locks),
        **{name: count for name, count in counts.items() if count},
    }


def _reason(reason: Reason) -> str:
    return f"{reason.origin}, {reason.code}: {reason.message}"


def _package(change: PackageChange) -> str:
    versions = f"{change.before or '?'} -> {change.after or '?'}"
    files = f" ({', '.join(change.files)})" if change.files else ""
    codes = " and ".join(dict.fromkeys([change.reason, *([change.drift_reason] if change.drift_reason else [])]))
    return f"{change.action} {change.name} {versions}: {change.origin}, {codes}: {change.message}{files}"


def _setting(change: SettingChange) -> str:
    return f"{'.'.join(map(str, change.path))}: {canonical_text(change.before)} -> {canonical_text(change.after)}"


def _step(step: Step, before: Step | None) -> str:
    """Return the kind of a step, and the steps of other environments that it waits for."""
    chain = (before.id,) if before else ()
    assert step.id == f"{step.environment}/{step.kind}"
    if before:
        assert step.after == chain, "the steps of one environment run one after another"
        return step.kind.value
    return f"{step.kind} after {', '.join(step.after)}" if step.after else step.kind.value
