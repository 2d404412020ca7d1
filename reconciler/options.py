"""What a caller requests: which environments, and how to plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.observe.actual import Depth
from reconciler.plan.model import PlanRequest, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Environments selected by name and by label; an empty selection means all environments."""

    names: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    def plan_request(self, policy: Policy) -> PlanRequest:
        """Return the selection and policy as a plan stores them: sorted, so that equal selections compare equal."""
        labels = tuple(sorted(self.labels.items()))
        return PlanRequest(names=tuple(sorted(set(self.names))), labels=labels, policy=policy)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """How to plan.

    `depth` is how closely to observe. `resolve` allows to resolve locks that are missing or out of date (`check` never
    does). `build` allows a resolution to build the source distributions that the manifest allows (`apply` does, `plan`
    never does). `locked` makes a lock that is missing or out of date an error. `offline` forbids the network.
    `exceptions` are pairs of an environment and a pattern of packages or files whose differences do not count in this
    run.
    """

    depth: Depth = Depth.FILES
    resolve: bool = True
    build: bool = False
    locked: bool = False
    offline: bool = False
    exceptions: tuple[tuple[str, str], ...] = ()
    policy: Policy = field(default_factory=Policy)
