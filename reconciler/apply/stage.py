"""Stage a generation that is complete, and verify a staged one before it is published (docs/design.md, "Staging")."""

import datetime as dt
from dataclasses import dataclass, replace

from reconciler.apply.collect import generation_names
from reconciler.apply.context import ApplyContext
from reconciler.apply.damage import describe_damage
from reconciler.apply.verify_seal import verify_generation
from reconciler.apply.widen import widen_venv
from reconciler.diff.model import Target
from reconciler.errors import ApplyError
from reconciler.events import EnvironmentFinished, Status
from reconciler.fs.sync import sync_filesystem
from reconciler.lock.model import LockState
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from reconciler.manifest.times import today_in_utc
from reconciler.plan.model import EnvironmentPlan, Plan
from reconciler.plan.staging import interpreter_of, staged_identity
from reconciler.state.applied import Applied
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory import Inventory
from reconciler.state.inventory_file import load_inventory
from reconciler.state.layout import Generation
from reconciler.state.staged import StagedNote, staged_generation, staged_generations, unmark_staged, write_staged
from reconciler.state.store import State


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedStaged:
    """A staged generation that equals its seal.

    `applied` is what is applied once it is published, `target` what it was built for, as far as files that are carried
    over depend on it. `drifted` is whether the contents of what it replaces had drifted when it was staged.
    """

    generation: Generation
    applied: Applied
    inventory: Inventory
    target: Target
    drifted: bool


def stage(plan: EnvironmentPlan, generation: Generation, context: ApplyContext, *, drifted: bool) -> None:
    """Mark a sealed generation as staged for `plan`; raises ApplyError without a target, or OSError.

    `drifted` is whether the contents of what it will replace have drifted.
    """
    if plan.target is None:
        raise ApplyError(f"{plan.name}: the plan has no target to stage", hint=None)
    note = StagedNote(
        desired=staged_identity(plan.target, context.plan.project),
        prior=plan.prior,
        action=plan.action.value,
        reasons=tuple((each.code.value, each.origin.value, each.message) for each in plan.reasons),
        drifted=drifted,
        staged=dt.datetime.now(dt.UTC).replace(microsecond=0),
    )
    write_staged(context.state.layout, plan.name, generation.number, note)


def verify_staged(plan: EnvironmentPlan, context: ApplyContext, *, hooks: bool) -> VerifiedStaged:
    """Return the staged generation that `plan` publishes, after every file of it was compared with its seal by hash.

    `hooks` is whether hooks run afterwards. Raises ApplyError if the generation differs from its seal; it is then no
    longer staged. Raises StateError or OSError.
    """
    state, name = context.state, plan.name
    staged = staged_generation(state, name)
    if staged is None or staged.generation != plan.staged:
        raise ApplyError(
            f"generation {plan.staged} of `{name}` is no longer staged", hint=f"run `envsync apply {name}`"
        )
    generation = state.layout.generation(name, staged.generation)
    with context.observing:
        # Not the context's hash cache: what the build found is not trusted again after an unknown time.
        inodes = InodeHashes.load(state.layout.inode_hashes)
        found = verify_generation(state, name, staged.generation, inodes, modes=False)
        if not found.intact:
            unmark_staged(state.layout, name)
            raise ApplyError(
                f"the staged generation {staged.generation} of `{name}` differs from its seal: "
                f"{describe_damage(found)}",
                hint=f"run `envsync apply {name}` to build a new one",
            )
        seal = state.seal(name, staged.generation)
        inventory = load_inventory(generation.inventory, digest=seal.inventory if seal else "")
        if widen_venv(generation.venv, inventory, state.layout.root):
            sync_filesystem(generation.directory)
    new = staged.applied
    environment = DesiredEnvironment(
        name=name,
        python=new.interpreter.version,
        ignore_files=new.ignore_patterns("ignore_files", today_in_utc()),
    )
    return VerifiedStaged(
        generation=generation,
        applied=replace(
            new,
            project=context.plan.project,
            manifest=context.owner.path,
            repository=context.owner.repository,
            hooks_pending=hooks,
        ),
        inventory=inventory,
        target=Target(
            environment=environment,
            interpreter=interpreter_of(new),
            lock_state=LockState.FRESH,
            lock=None,
            packages=new.packages,
            hint="",
            faults=(),
        ),
        drifted=staged.note.drifted,
    )


def discard_unneeded(
    plan: Plan, desired: DesiredState, finished: tuple[EnvironmentFinished, ...], state: State, owner: str
) -> None:
    """Remove the marks of the staged generations that the apply of `plan` does not need.

    These belong to environments for which nothing had to be built, or that this manifest staged and no
    longer declares. `owner` is the recorded path of this manifest.
    """
    if plan.asked.policy.stage or plan.asked.policy.publish or plan.asked.policy.destroy:
        return
    names = {each.environment for each in finished if each.status in {Status.APPLIED, Status.UNCHANGED}}
    if not desired.selected:
        known, _ = staged_generations(state, generation_names(state.layout))
        names |= {
            name
            for name, each in known.items()
            if name not in desired.declared
            and (each.applied.project, each.applied.manifest) == (desired.project, owner)
            and state.layout.published_number(name) == 0
        }
    for name in names:
        unmark_staged(state.layout, name)
