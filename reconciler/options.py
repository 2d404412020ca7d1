"""What a caller asks for: which environments, and how to plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.observe.actual import Depth
from reconciler.plan.model import Asked, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which environments: by name and by label; empty is all of them."""

    names: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    def asked(self, policy: Policy) -> Asked:
        """Return what a plan keeps of it: the same selection is the same, in whichever order it was made."""
        return Asked(names=tuple(sorted(set(self.names))), labels=tuple(sorted(self.labels.items())), policy=policy)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """How to plan.

    `resolve` False never resolves (`check`); `build` lets a resolution build what the manifest allows (`apply` locks
    so, `plan` never does); `locked` makes a stale lock an error; `offline` forbids the network.
    """

    depth: Depth = Depth.FILES
    resolve: bool = True
    build: bool = False
    locked: bool = False
    offline: bool = False
    policy: Policy = field(default_factory=Policy)
