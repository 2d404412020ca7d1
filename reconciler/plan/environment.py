"""Decide what happens to one environment, before the environments that it depends on are considered."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from reconciler.backticks import in_backticks, list_in_backticks
from reconciler.diff.compare import foreign_findings
from reconciler.diff.findings import SHOWN
from reconciler.diff.model import DiffKind, EnvironmentDiff, Fault, Origin, Reason, ReasonCode, Target
from reconciler.diff.overlaps import overlap_notes
from reconciler.diff.reasons import pending_reason, take_over_reason
from reconciler.diff.settings import desired_digest
from reconciler.diff.source_change import SourceFlag, in_words
from reconciler.interpreters.model import Interpreter
from reconciler.lock.yanked import yanked_notes
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualEnvironment, Finding
from reconciler.plan.blockers import (
    Blocker,
    can_adopt,
    change_blockers,
    delete_blockers,
    fault_blocker,
    undeclared_blocker,
)
from reconciler.plan.model import Action, EnvironmentPlan, Policy, StepKind
from reconciler.plan.prior import prior
from reconciler.plan.steps import change_step_kinds, delete_step_kinds
from reconciler.state.applied import Applied
from reconciler.state.owner import OtherOwner

ACTIONS = {
    DiffKind.UNCHANGED: Action.NO_OP,
    DiffKind.CREATE: Action.CREATE,
    DiffKind.UPDATE: Action.UPDATE,
    DiffKind.REPLACE: Action.REPLACE,
    DiffKind.RECORD: Action.UPDATE,
    DiffKind.FOREIGN: Action.CREATE,
    DiffKind.DELETE: Action.DELETE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentDraft:
    """The plan of one environment before its dependencies are considered; `step_kinds` is empty if it is blocked."""

    plan: EnvironmentPlan
    step_kinds: tuple[StepKind, ...] = ()

    def blocked_by(self, blockers: Sequence[Blocker]) -> "EnvironmentDraft":
        """Return the draft with more blockers; a blocked environment has no steps."""
        if not blockers:
            return self
        blocked = (*self.plan.blocked, *(each.reason for each in blockers))
        hints = (*self.plan.hints, *(each.hint for each in blockers if each.hint))
        return EnvironmentDraft(plan=replace(self.plan, blocked=blocked, hints=hints))


def plan_change(
    desired: DesiredState,
    diff: EnvironmentDiff,
    target: Target,
    actual: ActualEnvironment,
    applied: Applied | None,
    policy: Policy,
    owner: OtherOwner | None,
    *,
    former: str,
) -> EnvironmentDraft:
    """Plan an environment that the manifest declares; `owner` is who applied it if it was not this manifest.

    `former` is the name that it is renamed from, empty if it is not: then nothing is adopted at its new path.
    """
    policy = replace(policy, adopt=policy.adopt and not former)
    if owner is not None and (owner.project or policy.take_over):
        kind = DiffKind.RECORD if diff.kind is DiffKind.UNCHANGED else diff.kind
        diff = replace(diff, kind=kind, reasons=(take_over_reason(owner), *diff.reasons))
    adopting = policy.adopt and can_adopt(diff, actual, applied, desired.project)
    requested = pending_reason(ReasonCode.ADOPT_REQUESTED, "replaces the virtual environment at its path")
    plan = replace(
        _plan(desired, actual, target.interpreter),
        action=Action.ADOPT if adopting else ACTIONS[diff.kind],
        reasons=(requested, *diff.reasons) if adopting else diff.reasons,
        desired=desired_digest(target),
        python_before=applied.interpreter.version if applied and applied.generation else actual.python,
        python_after=target.interpreter.version,
        packages=diff.packages,
        settings=diff.settings,
        findings=diff.findings,
        package_count=len(target.packages or ()),
        complete=diff.complete,
        hints=tuple(each for each in (target.hint, _owner_hint(diff, owner, policy)) if each),
        notes=(
            *_notes_of(target),
            *_sources_to_review(diff),
            *_excepted(diff),
            *_notes_about_files(diff, policy),
            *overlap_notes(applied, target.packages or ()),
        ),
        failure=target.failure,
        target=target,
    )
    carry = not policy.drop_ignored
    kinds = change_step_kinds(diff, target, carry=carry, hooks=True)
    if policy.skip_hooks and {StepKind.AFTER_PUBLISH, StepKind.TRIAL} & set(kinds):
        plan = replace(plan, reasons=(*plan.reasons, skipped_reason(kinds)))
        kinds = change_step_kinds(diff, target, hooks=False, carry=carry)
    draft = hold_draft(EnvironmentDraft(plan=plan, step_kinds=tuple(kinds)), applied, desired)
    return draft.blocked_by(change_blockers(diff, target, actual, applied, desired, policy, owner, former=former))


def _owner_hint(diff: EnvironmentDiff, owner: OtherOwner | None, policy: Policy) -> str:
    """Return that two manifests declare an environment that will be changed, as an empty string if they do not."""
    if owner is None or not owner.manifest or policy.take_over or diff.kind is DiffKind.UNCHANGED:
        return ""
    return f"declare `{diff.name}` in one manifest only: it was last applied from {owner.manifest}"


def plan_prune(
    desired: DesiredState,
    diff: EnvironmentDiff,
    actual: ActualEnvironment,
    applied: Applied,
    policy: Policy,
    owner: OtherOwner | None,
) -> EnvironmentDraft:
    """Plan an environment of this project that the manifest does not declare; its drift counts if it is kept.

    `owner` as for a change.
    """
    if owner is not None and owner.manifest:
        never = pending_reason(ReasonCode.NOT_IN_MANIFEST, f"not in `{desired.file.name}`")
        diff = replace(diff, reasons=tuple(never if each.origin is Origin.PENDING else each for each in diff.reasons))
        if not policy.prune:  # its own manifest repairs it
            return hold_draft(EnvironmentDraft(plan=_plan(desired, actual)), applied, desired)
    if not policy.prune:
        return _kept_draft(desired, actual, applied, diff)
    pending = tuple(each for each in diff.reasons if each.origin is Origin.PENDING)
    draft = _delete_draft(desired, actual, applied, policy, pending, foreign_findings(actual), owner)
    if all(each.code not in {ReasonCode.PREVENT_DESTROY, ReasonCode.HELD} for each in draft.plan.blocked):
        return draft
    kept = replace(draft.plan, reasons=diff.reasons, packages=diff.packages, findings=diff.findings)
    return replace(draft, plan=kept)


def _kept_draft(
    desired: DesiredState, actual: ActualEnvironment, applied: Applied, diff: EnvironmentDiff
) -> EnvironmentDraft:
    """Return a no-op, or the drift of an environment that cannot be built again, because nothing declares it."""
    hint = f"run without `--no-prune` to delete `{applied.name}`, which `{desired.file.name}` no longer declares"
    plan = replace(_plan(desired, actual), hints=() if applied.hold else (hint,))
    drift = tuple(each for each in diff.reasons if each.origin is not Origin.PENDING)
    draft = hold_draft(EnvironmentDraft(plan=plan), applied, desired)
    if not drift:
        return draft
    plan = replace(
        draft.plan,
        action=Action.UPDATE,
        reasons=drift,
        python_before=applied.interpreter.version,
        packages=diff.packages,
        findings=diff.findings,
    )
    draft = replace(draft, plan=plan)
    return draft.blocked_by([undeclared_blocker(desired.file.name)])


def plan_destroy(
    desired: DesiredState,
    actual: ActualEnvironment,
    applied: Applied | None,
    policy: Policy,
    owner: OtherOwner | None,
) -> EnvironmentDraft:
    """Plan an environment that `destroy` names; if it was never applied, nothing will be destroyed."""
    if applied is None:
        hint = f"nothing to destroy: {in_backticks(actual.name)} was never applied"
        return EnvironmentDraft(plan=replace(_plan(desired, actual), hints=(hint,)))
    requested = pending_reason(ReasonCode.DESTROY_REQUESTED, "destroy requested")
    return _delete_draft(desired, actual, applied, policy, (requested,), foreign_findings(actual), owner)


def plan_unreadable(desired: DesiredState, actual: ActualEnvironment, fault: Fault) -> EnvironmentDraft:
    """Plan an undeclared environment, or one to destroy, whose state cannot be read: it is left alone."""
    return EnvironmentDraft(plan=_plan(desired, actual)).blocked_by([fault_blocker(fault)])


def _delete_draft(
    desired: DesiredState,
    actual: ActualEnvironment,
    applied: Applied,
    policy: Policy,
    reasons: tuple[Reason, ...],
    findings: tuple[Finding, ...],
    owner: OtherOwner | None,
) -> EnvironmentDraft:
    plan = replace(
        _plan(desired, actual),
        action=Action.DELETE,
        reasons=reasons,
        python_before=applied.interpreter.version,
        findings=findings,
        package_count=len(actual.distributions),
    )
    kinds = delete_step_kinds(actual.occupant, applied, hooks=True)
    if policy.skip_hooks and StepKind.BEFORE_DELETE in kinds:
        plan = replace(plan, reasons=(*plan.reasons, skipped_reason(kinds)))
        kinds = delete_step_kinds(actual.occupant, applied, hooks=False)
    draft = hold_draft(EnvironmentDraft(plan=plan, step_kinds=tuple(kinds)), applied, desired)
    return draft.blocked_by(delete_blockers(actual, applied, desired, policy, owner))


def hold_draft(draft: EnvironmentDraft, applied: Applied | None, desired: DesiredState) -> EnvironmentDraft:
    """Return the draft without steps if the environment is held; one of another project is only blocked."""
    if applied is None or applied.hold is None or applied.project != desired.project:
        return draft
    return EnvironmentDraft(plan=replace(draft.plan, hold=applied.hold))


def _notes_about_files(diff: EnvironmentDiff, policy: Policy) -> tuple[str, ...]:
    """Return how many files that `ignore_files` matches are carried over, or left behind."""
    if policy.drop_ignored:
        left = len(diff.carried) + len(diff.lost)
        return (f"{_ignored_files(left)} left behind in the old generation",) if left else ()
    return (f"{_ignored_files(len(diff.carried))} carried over",) if diff.carried else ()


def _notes_of(target: Target) -> tuple[str, ...]:
    return (*yanked_notes(target.lock, target.packages or ()), *_expired_exceptions(target))


def _sources_to_review(diff: EnvironmentDiff) -> tuple[str, ...]:
    """Return which packages have a different host, hash or publisher, but the same version."""
    found = [each for each in diff.packages if each.source is not None and each.source.review]
    if not found:
        return ()
    flags = {flag for each in found if each.source is not None for flag in each.source.review}
    changed = in_words(each for each in SourceFlag if each in flags)
    return (f"review {list_in_backticks([each.name for each in found])}: same version, different {changed}",)


def _expired_exceptions(target: Target) -> tuple[str, ...]:
    """Return which exceptions of `ignore` and `ignore_files` have expired, with their places and reasons."""
    return tuple(
        f"exception for `{each.match}` expired on {each.until} ({each.place})"
        + (f": {each.reason}" if each.reason else "")
        for each in target.environment.exceptions
        if each.expired
    )


def _excepted(diff: EnvironmentDiff) -> tuple[str, ...]:
    """Return what each pattern of `--except` excepts, or that it matches nothing."""
    return tuple(
        f"excepted by `{diff.name}:{pattern}`: {list_in_backticks(matched, most=SHOWN)}"
        if matched
        else f"`--except {diff.name}:{pattern}` matches no difference"
        for pattern, matched in diff.excepted
    )


def _ignored_files(number: int) -> str:
    return "1 ignored file is" if number == 1 else f"{number} ignored files are"


def skipped_reason(due: Collection[StepKind]) -> Reason:
    """Return the reason that says which of the steps that are due are skipped: hooks, or a health check."""
    hooks = [each for each in (StepKind.AFTER_PUBLISH, StepKind.BEFORE_DELETE) if each in due]
    what = f"`{hooks[0].replace('-', '_')}` hooks are" if hooks else "health check is"
    return pending_reason(ReasonCode.HOOKS_SKIPPED, f"its {what} skipped")


def _plan(desired: DesiredState, actual: ActualEnvironment, interpreter: Interpreter | None = None) -> EnvironmentPlan:
    """Return a no-op with the fields that every environment's plan has."""
    return EnvironmentPlan(
        name=actual.name,
        path=str(desired.root / actual.name),
        action=Action.NO_OP,
        prior=prior(actual, interpreter),
        generation=actual.generation,
    )
