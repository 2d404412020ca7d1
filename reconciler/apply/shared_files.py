"""Looks at what a new environment will share its files with, while their ctimes still prove what they hold.

A build links cached files, which moves their ctime: from then on only reading them again would tell what is in them
(`InodeHashes.begin_linking`). To look at a published environment of the same packages first costs a tenth of that.
"""

from collections.abc import Mapping

from reconciler.manifest.desired import DesiredState
from reconciler.observe.actual import Depth
from reconciler.observe.environments import observe
from reconciler.plan.model import EnvironmentPlan, Plan, StepKind
from reconciler.state.applied import Applied
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.store import State


def look_at_alike(plan: Plan, desired: DesiredState, state: State, inodes: InodeHashes) -> None:
    """Look, for each environment that is built, at what is published of it, unless its files were compared just now.

    Where nothing is, at the published one with the most of its packages.
    """
    applied = {name: last for name, last in state.last_applied().items() if last.generation}
    built = [each for each in plan.environments if _links(each)]
    chosen = {_most_alike(each, applied) for each in built if not each.generation} - {""}
    compared = set() if plan.depth is Depth.METADATA else applied.keys() - inodes.as_remembered
    chosen |= {each.name for each in built if each.generation and each.name not in compared}
    observe(chosen, desired, state, applied, Depth.FILES, inodes, compare=True)


def _links(each: EnvironmentPlan) -> bool:
    builds = any(step.kind is StepKind.BUILD for step in each.steps) and not each.blocked
    return builds and each.target is not None and each.target.environment.link_mode != "copy"


def _most_alike(each: EnvironmentPlan, applied: Mapping[str, Applied]) -> str:
    """Return the name of the environment with the most packages in common, at least half of them; else nothing."""
    wanted = {(package.name, package.version) for package in (each.target and each.target.packages) or ()}
    shared = {
        name: len(wanted.intersection((package.name, package.version) for package in last.packages))
        for name, last in applied.items()
    }
    best = max(shared, key=lambda name: (shared[name], name), default="")
    return best if best and shared[best] * 2 >= len(wanted) else ""
