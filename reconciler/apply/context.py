"""What every step of an apply needs: the plan, the state, the engine, and how much of it may run at once."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.engines.engine import Engine
from reconciler.errors import InterruptedByUserError
from reconciler.events import Event
from reconciler.manifest.desired import Index
from reconciler.plan.model import Plan
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.store import State


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions:
    """How to apply: environments built at once, whether the network may be used, whether to collect garbage after."""

    parallelism: int = 2
    offline: bool = False
    collect: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyContext:
    """One apply; shared by the threads that build environments, so `emit` must be safe to call from any.

    `plan_id` is the plan's digest, which takes as long as the plan is large, and so is taken once.
    `building` is held to build an environment, `looking` to look at a whole one: two threads that each make thousands
    of calls to the system would only hand the interpreter's own lock back and forth.
    """

    plan: Plan
    plan_id: str
    state: State
    engine: Engine
    indexes: tuple[Index, ...]
    options: ApplyOptions
    inodes: InodeHashes
    ambient: Mapping[str, str]
    emit: Callable[[Event], None]
    stop: threading.Event = field(default_factory=threading.Event)
    building: threading.Semaphore = field(init=False)
    looking: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        """Let as many build at once as the options say, and one at least."""
        object.__setattr__(self, "building", threading.Semaphore(max(1, self.options.parallelism)))

    def check_stop(self) -> None:
        """Raise InterruptedByUserError where a signal asked to stop; called where nothing is half-done."""
        if self.stop.is_set():
            raise InterruptedByUserError("interrupted; nothing is half-done")
