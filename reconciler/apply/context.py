"""What every step of an apply needs: the plan, the state, the engine, and how much of it may run at once."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.engines.engine import Engine
from reconciler.errors import InterruptedByUserError
from reconciler.events import Event
from reconciler.manifest.desired import Index
from reconciler.plan.model import Plan
from reconciler.state.inodes import InodeHashes
from reconciler.state.store import State


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions:
    """How to apply: environments built at once, whether the network may be used, whether to collect garbage after."""

    parallelism: int = 2
    offline: bool = False
    collect: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyContext:
    """One apply; shared by the threads that build environments, so `emit` must be safe to call from any."""

    plan: Plan
    state: State
    engine: Engine
    indexes: tuple[Index, ...]
    options: ApplyOptions
    inodes: InodeHashes
    ambient: Mapping[str, str]
    emit: Callable[[Event], None]
    stop: threading.Event = field(default_factory=threading.Event)

    def check_stop(self) -> None:
        """Raise InterruptedByUserError where a signal asked to stop; called where nothing is half-done."""
        if self.stop.is_set():
            raise InterruptedByUserError("interrupted; nothing is half-done")
