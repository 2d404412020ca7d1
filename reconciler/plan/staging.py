"""Plan what is staged: `apply --stage` builds without publishing, `publish` publishes it, `apply` reuses it.

See docs/design.md, "Staging".
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from reconciler.canonical_json import digest
from reconciler.diff.model import Origin, PackageChange, Reason, ReasonCode, Target
from reconciler.diff.packages import NO_PLACES, distributions_by_name, package_changes
from reconciler.diff.reasons import package_reasons, pending_reason
from reconciler.diff.settings import begins_trial, has_hooks, settings_of
from reconciler.interpreters.model import UNKNOWN, Interpreter
from reconciler.lock.model import LockState
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualEnvironment, Occupant
from reconciler.plan.blockers import publish_blockers
from reconciler.plan.environment import EnvironmentDraft, hold_draft, skipped_reason
from reconciler.plan.model import Action, EnvironmentPlan, Policy, StepKind
from reconciler.plan.prior import prior
from reconciler.state.applied import Applied
from reconciler.state.owner import OtherOwner
from reconciler.state.staged import Staged

_LEFT = {Action.DELETE: "deletes nothing", Action.RENAME: "renames nothing"}
# Staging wrote the lock: whether it changed packages is compared again when the generation is published.
_OF_THE_LOCK = frozenset(
    {ReasonCode.LOCK_MISSING, ReasonCode.LOCK_STALE, ReasonCode.LOCK_CHANGED, ReasonCode.SOURCE_CHANGED}
)
STAGE_NOTE = "`--stage` publishes nothing and deletes nothing: `envsync publish` publishes what was staged"


def staged_identity(target: Target, project: str) -> str:
    """Return the digest of everything that a generation for `target` depends on, the settings included.

    A staged generation is what is desired as long as this is equal.
    """
    environment = target.environment
    return digest(
        {
            "project": project,
            "lock": target.lock.digest if target.lock is not None else None,
            "packages": target.packages,
            "editables": dict(target.editables),
            "interpreter": target.interpreter.identity,
            "settings": settings_of(environment),
            "build": [environment.link_mode, environment.compile_bytecode, environment.builds],
        }
    )


def interpreter_of(applied: Applied) -> Interpreter:
    """Return the interpreter that a generation was built with, without its markers and tags."""
    used = applied.interpreter
    return replace(UNKNOWN, path=used.path, version=used.version, implementation=used.implementation)


def stage_draft(draft: EnvironmentDraft, staged: Staged | None, project: str) -> EnvironmentDraft:
    """Return what `apply --stage` does for an environment: the steps before the publish, if it is built at all."""
    plan, kinds = draft.plan, draft.step_kinds
    if plan.action is Action.NO_OP or plan.blocked or plan.hold:
        return _with_note(draft, staged)
    if plan.action in _LEFT or StepKind.BUILD not in kinds or StepKind.PUBLISH not in kinds:
        note = f"left to `envsync apply`: `--stage` {_LEFT.get(plan.action, 'only builds')}"
        return EnvironmentDraft(plan=replace(plan, notes=(*plan.notes, note)))
    if staged is not None and _is_desired(staged, plan, project) and staged.note.prior == plan.prior:
        plan = replace(plan, staged=staged.generation, notes=(*plan.notes, _is_staged(staged)))
        return EnvironmentDraft(plan=plan)
    before = kinds[: kinds.index(StepKind.SYNC) + 1]
    older = [f"replaces generation {staged.generation}, staged on {staged.since}"] if staged else []
    return EnvironmentDraft(plan=replace(plan, notes=(*plan.notes, *older)), step_kinds=(*before, StepKind.STAGE))


def reuse_staged(draft: EnvironmentDraft, staged: Staged | None, project: str) -> EnvironmentDraft:
    """Return what `apply` does: if the staged generation is the desired one, publish it instead of building another."""
    plan, kinds = draft.plan, draft.step_kinds
    if staged is None or StepKind.BUILD not in kinds or StepKind.PUBLISH not in kinds or plan.blocked:
        return _with_note(draft, staged)
    if not _is_desired(staged, plan, project):
        note = f"generation {staged.generation}, staged on {staged.since}, is out of date"
        return replace(draft, plan=replace(plan, notes=(*plan.notes, note)))
    lock = kinds[: kinds.index(StepKind.BUILD)]
    after = kinds[kinds.index(StepKind.SYNC) + 1 :]
    plan = replace(plan, staged=staged.generation, notes=(*plan.notes, _is_staged(staged)))
    return replace(draft, plan=plan, step_kinds=(*lock, StepKind.VERIFY_STAGED, *after))


def plan_publish(
    desired: DesiredState,
    actual: ActualEnvironment,
    applied: Applied | None,
    staged: Staged,
    policy: Policy,
    owner: OtherOwner | None,
) -> EnvironmentDraft:
    """Plan the publish of a staged generation; it is blocked if what is at the path has changed since it was staged."""
    new, note = staged.applied, staged.note
    reasons = [pending_reason(ReasonCode.STAGED, f"generation {staged.generation} was staged on {staged.since}")]
    reasons += [
        Reason(code=ReasonCode(code), origin=Origin(origin), message=message)
        for code, origin, message in note.reasons
        if code not in _OF_THE_LOCK
    ]
    packages: tuple[PackageChange, ...] = ()
    if applied is not None and actual.occupant is Occupant.PUBLISHED:
        packages = package_changes(
            new.packages, applied, distributions_by_name(actual.distributions, applied), moved=(), places=NO_PLACES
        )
    reasons += package_reasons(packages, LockState.FRESH)
    due = (
        *([StepKind.AFTER_PUBLISH] if has_hooks(new.settings, "after_publish") else []),
        *([StepKind.TRIAL] if begins_trial(new.settings) else []),
    )
    if policy.skip_hooks and due:
        reasons.append(skipped_reason(due))
    carries = actual.generation and new.settings.get("ignore_files") and not policy.drop_ignored
    kinds = (
        StepKind.VERIFY_STAGED,
        *([StepKind.CARRY_OVER] if carries else []),
        StepKind.PUBLISH,
        StepKind.RECORD,
        *(() if policy.skip_hooks else due),
    )
    plan = EnvironmentPlan(
        name=actual.name,
        path=str(desired.root / actual.name),
        action=Action(note.action),
        reasons=tuple(reasons),
        prior=prior(actual, None),
        python_before=applied.interpreter.version if applied and applied.generation else actual.python,
        python_after=new.interpreter.version,
        packages=packages,
        package_count=len(new.packages),
        generation=actual.generation,
        staged=staged.generation,
    )
    changed = prior(actual, interpreter_of(new)) != note.prior
    draft = hold_draft(EnvironmentDraft(plan=plan, step_kinds=kinds), applied, desired)
    return draft.blocked_by(publish_blockers(actual.name, applied, staged, desired, owner, changed=changed))


def staged_with_dependencies(
    desired: DesiredState, names: Collection[str], staged: Mapping[str, Staged]
) -> frozenset[str]:
    """Return those of `names` that are staged, and everything staged that they depend on."""
    needs = {each.name: each.depends_on for each in desired.environments}
    found: set[str] = set()
    open_names = [*names]
    while open_names:
        name = open_names.pop()
        if name not in found:
            found.add(name)
            open_names += needs.get(name, ())
    return frozenset(found & staged.keys())


def _is_desired(staged: Staged, plan: EnvironmentPlan, project: str) -> bool:
    return plan.target is not None and staged.note.desired == staged_identity(plan.target, project)


def _is_staged(staged: Staged) -> str:
    name = staged.applied.name
    return f"generation {staged.generation} was staged on {staged.since}; publish it with `envsync publish {name}`"


def _with_note(draft: EnvironmentDraft, staged: Staged | None) -> EnvironmentDraft:
    """Return the draft with a note about what is staged; an unchanged environment no longer needs it."""
    if staged is None:
        return draft
    note = _is_staged(staged)
    if StepKind.BUILD not in draft.step_kinds and not (draft.plan.blocked or draft.plan.hold):
        note = f"generation {staged.generation}, staged on {staged.since}, is not needed: the next apply deletes it"
    return replace(draft, plan=replace(draft.plan, notes=(*draft.plan.notes, note)))
