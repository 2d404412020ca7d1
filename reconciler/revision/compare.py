"""Plan what a merge will change: compare the working tree's manifest and locks with those of a git revision."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.backticks import in_backticks
from reconciler.diff.compare import compare, undeclared
from reconciler.diff.masking import Mask
from reconciler.diff.renames import find_renames
from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import ActualEnvironment, ActualState, Depth
from reconciler.plan.make import make_plan
from reconciler.plan.model import Action, EnvironmentPlan, Plan, Policy
from reconciler.revision.git_revision import Revision
from reconciler.revision.sides import RevisionSide, absent_environment, revision_side, worktree_side
from reconciler.state.applied import Applied


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A plan that cannot be applied; `notes` are sentences about the comparison as a whole."""

    plan: Plan
    desired: DesiredState
    notes: tuple[str, ...] = ()


def compare_with(revision: Revision, desired: DesiredState, *, locked: bool, policy: Policy, mask: Mask) -> Comparison:
    """Return how the working tree's manifest and locks (`desired`) differ from those of `revision`.

    With `locked`, a lock that is missing or out of date in the working tree is an error. `mask` masks the settings that
    are not public. Raises RevisionError or LockError.
    """
    shell = {name: hashed for each in desired.environments for name, hashed in each.build_env.hashes.items()}
    before = revision_side(revision, desired.file, shell)
    targets = worktree_side(revision, desired, locked=locked)
    notes: tuple[str, ...] = ()
    applied: Mapping[str, Applied] = {}
    before_actual: Mapping[str, ActualEnvironment] = {}
    if before is None:
        notes = (f"`{desired.file}` is not in {in_backticks(revision.name)}: every environment is new",)
    elif before.desired.root != desired.root:
        root = before.desired.root
        then = f"at {in_backticks(revision.name)} the root is `{root}`"
        notes = (f"{then}: environments below it are kept and are not compared",)
    else:
        applied, before_actual = before.applied, before.actual
    renames = find_renames(desired, applied, ())
    applied = renames.applied(applied)
    names = sorted({*targets, *undeclared(desired, applied), *renames.pairs.values()})
    environments = {name: before_actual.get(name) or absent_environment(name) for name in names}
    renames, actual = renames.observed(ActualState(environments=environments, depth=Depth.METADATA))
    diff = compare(desired, targets, actual, applied, mask=mask)
    plan = make_plan(desired, diff, targets, actual, applied, policy, owners={}, faults={}, staged={}, renames=renames)
    compared = tuple(_without_disk(each, revision.name, before) for each in plan.environments)
    return Comparison(plan=replace(plan, against=revision.name, environments=compared), desired=desired, notes=notes)


def _without_disk(environment: EnvironmentPlan, revision: str, before: RevisionSide | None) -> EnvironmentPlan:
    """Return an environment's part of the plan without steps and other facts that only an environment on disk has."""
    hints = environment.hints
    then = environment.renamed_from or environment.name
    if before and then in before.unlocked and environment.action not in {Action.CREATE, Action.DELETE}:
        hints = (*hints, f"it has no lock at {in_backticks(revision)}, so its packages there are unknown")
    packages = tuple(replace(each, before=each.before or None) for each in environment.packages)
    return replace(environment, prior="", generation=0, steps=(), packages=packages, hints=hints)
