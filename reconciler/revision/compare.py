"""The plan of what merging will change: the work tree's manifest and locks against those of a git revision."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.diff.compare import compare, retired
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualEnvironment, ActualState, Depth
from reconciler.plan.make import make_plan
from reconciler.plan.model import Action, EnvironmentPlan, Plan, Policy
from reconciler.revision.git_revision import Revision
from reconciler.revision.sides import Before, absent, revision_side, worktree_side
from reconciler.state.applied import Applied


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A plan that only tells; `notes` are sentences about the comparison as a whole."""

    plan: Plan
    desired: DesiredState
    notes: tuple[str, ...] = ()


def compare_with(revision: Revision, desired: DesiredState, *, locked: bool, policy: Policy) -> Comparison:
    """Return what the work tree's manifest and locks (`desired`) change of what `revision` asks for.

    With `locked` a lock that is missing or stale in the work tree is an error. Raises RevisionError or LockError.
    """
    before = revision_side(revision, desired.file)
    targets = worktree_side(revision, desired, locked=locked)
    notes: tuple[str, ...] = ()
    applied: Mapping[str, Applied] = {}
    stood: Mapping[str, ActualEnvironment] = {}
    if before is None:
        notes = (f"{desired.file} is not in {revision.name}: all of it is new",)
    elif before.desired.root != desired.root:
        notes = (f"at {revision.name} the root is {before.desired.root}: what stands there stays, and is not compared",)
    else:
        applied, stood = before.applied, before.actual
    names = sorted({*targets, *retired(desired, applied)})
    actual = ActualState(environments={name: stood.get(name) or absent(name) for name in names}, depth=Depth.METADATA)
    diff = compare(desired, targets, actual, applied)
    plan = make_plan(desired, diff, targets, actual, applied, policy)
    told = tuple(_told(each, revision.name, before) for each in plan.environments)
    return Comparison(plan=replace(plan, against=revision.name, environments=told), desired=desired, notes=notes)


def _told(environment: EnvironmentPlan, revision: str, before: Before | None) -> EnvironmentPlan:
    """Return an environment's part without what only one on disk has: there is nothing to apply here."""
    hints = environment.hints
    if before and environment.name in before.unlocked and environment.action not in {Action.CREATE, Action.DELETE}:
        hints = (*hints, f"it has no lock at {revision}: which packages it has there is unknown")
    packages = tuple(replace(each, before=each.before or None) for each in environment.packages)
    return replace(environment, prior="", generation=0, steps=(), packages=packages, hints=hints)
