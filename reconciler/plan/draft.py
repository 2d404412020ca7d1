"""One environment's part of the plan as far as it can be decided alone: action, reasons, obstacles, kinds of step."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.diff.compare import foreign_findings
from reconciler.diff.model import EnvironmentDiff, Presence, Reason, ReasonCode, Target
from reconciler.diff.reasons import pending
from reconciler.interpreters.model import Interpreter
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualEnvironment, Finding
from reconciler.plan.model import Action, EnvironmentPlan, Policy, StepKind
from reconciler.plan.obstacles import Obstacle, adoptable, change_obstacles, delete_obstacles
from reconciler.plan.prior import prior
from reconciler.plan.steps import change_kinds, delete_kinds
from reconciler.state.applied import Applied

ACTIONS = {
    Presence.UNCHANGED: Action.NO_OP,
    Presence.CREATE: Action.CREATE,
    Presence.UPDATE: Action.UPDATE,
    Presence.REPLACE: Action.REPLACE,
    Presence.RECORD: Action.UPDATE,
    Presence.FOREIGN: Action.CREATE,
    Presence.DELETE: Action.DELETE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An environment's plan before the others are looked at; `kinds` are its steps, were it not blocked."""

    plan: EnvironmentPlan
    kinds: tuple[StepKind, ...] = ()

    def hindered(self, obstacles: Sequence[Obstacle]) -> "Draft":
        """Return the draft with further obstacles; a blocked environment has no steps."""
        if not obstacles:
            return self
        blocked = (*self.plan.blocked, *(each.reason for each in obstacles))
        hints = (*self.plan.hints, *(each.hint for each in obstacles if each.hint))
        return Draft(plan=replace(self.plan, blocked=blocked, hints=hints))


def changed(
    desired: DesiredState,
    diff: EnvironmentDiff,
    target: Target,
    actual: ActualEnvironment,
    applied: Applied | None,
    policy: Policy,
) -> Draft:
    """Decide on an environment that the manifest asks for."""
    adopting = policy.adopt and adoptable(diff, actual, applied, desired.project)
    asked = pending(ReasonCode.ADOPT_REQUESTED, "taking over what stands at its path")
    plan = replace(
        _plan(desired, actual, target.interpreter),
        action=Action.ADOPT if adopting else ACTIONS[diff.presence],
        reasons=(asked, *diff.reasons) if adopting else diff.reasons,
        desired=target.digest,
        python_before=applied.interpreter.version if applied and applied.generation else actual.python,
        python_after=target.interpreter.version,
        packages=diff.packages,
        settings=diff.settings,
        findings=diff.findings,
        package_count=len(target.packages or ()),
        complete=diff.complete,
        hints=(target.hint,) if target.hint else (),
        failure=target.failure,
        target=target,
    )
    draft = Draft(plan=plan, kinds=tuple(change_kinds(diff, target)))
    return draft.hindered(change_obstacles(diff, target, actual, applied, desired, policy))


def retired(
    desired: DesiredState, diff: EnvironmentDiff, actual: ActualEnvironment, applied: Applied, policy: Policy
) -> Draft:
    """Decide on an environment that is ours and that the manifest no longer names."""
    if not policy.prune:
        hint = f"{applied.name} is no longer in {desired.file.name}; --no-prune keeps it"
        return Draft(plan=replace(_plan(desired, actual), hints=(hint,)))
    return _deleted(desired, actual, applied, policy, diff.reasons, diff.findings)


def destroyed(desired: DesiredState, actual: ActualEnvironment, applied: Applied | None, policy: Policy) -> Draft:
    """Decide on an environment that is to be destroyed by request; one never applied is nothing to destroy."""
    if applied is None:
        hint = f"{actual.name} was never applied: there is nothing to destroy"
        return Draft(plan=replace(_plan(desired, actual), hints=(hint,)))
    asked = pending(ReasonCode.DESTROY_REQUESTED, "asked to destroy it")
    return _deleted(desired, actual, applied, policy, (asked,), foreign_findings(actual))


def _deleted(
    desired: DesiredState,
    actual: ActualEnvironment,
    applied: Applied,
    policy: Policy,
    reasons: tuple[Reason, ...],
    findings: tuple[Finding, ...],
) -> Draft:
    plan = replace(
        _plan(desired, actual),
        action=Action.DELETE,
        reasons=reasons,
        python_before=applied.interpreter.version,
        findings=findings,
        package_count=len(actual.distributions),
    )
    draft = Draft(plan=plan, kinds=tuple(delete_kinds(actual.occupant, applied)))
    return draft.hindered(delete_obstacles(actual, applied, desired, policy))


def _plan(desired: DesiredState, actual: ActualEnvironment, interpreter: Interpreter | None = None) -> EnvironmentPlan:
    """Return what every part of a plan has, as a no-op."""
    return EnvironmentPlan(
        name=actual.name,
        path=str(desired.root / actual.name),
        action=Action.NO_OP,
        prior=prior(actual, interpreter),
        generation=actual.generation,
    )
