"""Observe the files that new environments will share, while their ctimes still prove their contents.

A build hard-links cached files, which changes their ctime. After that, their hashes could only be known by reading them
again (`InodeHashes.begin_linking`). To observe a published environment with the same packages first takes a tenth of
that time.
"""

from collections.abc import Mapping

from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import Depth
from reconciler.observe.environments import observe_environments
from reconciler.plan.model import EnvironmentPlan, Plan, StepKind
from reconciler.state.applied import Applied
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.store import State


def observe_shared_files(plan: Plan, desired: DesiredState, state: State, inodes: InodeHashes) -> None:
    """Observe the published generation of each environment that will be built, unless the plan compared its files.

    If it has no published generation, observe the published environment that has most packages in common with it.
    """
    applied = {name: last for name, last in state.last_applied().items() if last.generation}
    built = [each for each in plan.environments if _will_link(each)]
    chosen = {_most_similar(each, applied) for each in built if not each.generation} - {""}
    compared = set() if plan.depth is Depth.METADATA else applied.keys() - inodes.quickly_compared
    present = {each.renamed_from or each.name for each in built if each.generation}
    chosen |= present - compared
    observe_environments(chosen, desired, state, applied, Depth.FILES, inodes, compare=True)


def _will_link(each: EnvironmentPlan) -> bool:
    """Return whether apply builds the environment with links to cached files."""
    builds = any(step.kind is StepKind.BUILD for step in each.steps) and not each.blocked
    return builds and each.target is not None and each.target.environment.link_mode != "copy"


def _most_similar(each: EnvironmentPlan, applied: Mapping[str, Applied]) -> str:
    """Return the name of the environment that has most packages in common, at least half; else an empty string."""
    targeted = {(package.name, package.version) for package in (each.target and each.target.packages) or ()}
    shared = {
        name: len(targeted.intersection((package.name, package.version) for package in last.packages))
        for name, last in applied.items()
    }
    best = max(shared, key=lambda name: (shared[name], name), default="")
    return best if best and shared[best] * 2 >= len(targeted) else ""
