"""What every step of an apply needs: the plan, the state, the engine, and how much may run at the same time."""

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.apply.wheel_contents import WheelContents
from reconciler.engines.engine import Engine
from reconciler.errors import InterruptedByUserError
from reconciler.events import Event
from reconciler.manifest.desired import Index
from reconciler.plan.model import Plan
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.owner import ManifestIdentity
from reconciler.state.store import State


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions:
    """How to apply a plan.

    `parallelism` is how many environments are built at the same time, `offline` forbids the network, `collect` deletes
    generations that nothing keeps afterwards.
    """

    parallelism: int = 2
    offline: bool = False
    collect: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyContext:
    """One apply. The threads that build environments share it, so `emit` must be safe to call from any thread.

    `plan_id` is the plan's digest; it is computed once, because a large plan takes long to digest. A thread holds
    `building` while it builds an environment and `observing` while it reads all files of one. Two threads that both
    make thousands of system calls would only pass the interpreter's global lock back and forth. `owner` is recorded as
    the manifest that applied each environment. `keep_deleted` is how long a deleted one can be restored.
    """

    plan: Plan
    plan_id: str
    state: State
    engine: Engine
    indexes: tuple[Index, ...]
    options: ApplyOptions
    inodes: InodeHashes
    ambient: Mapping[str, str]
    owner: ManifestIdentity
    keep_deleted: dt.timedelta
    emit: Callable[[Event], None]
    stop: threading.Event = field(default_factory=threading.Event)
    building: threading.Semaphore = field(init=False)
    observing: threading.Lock = field(default_factory=threading.Lock, init=False)
    wheels: WheelContents = field(init=False)

    def __post_init__(self) -> None:
        """Allow as many builds at the same time as the options say, at least one."""
        object.__setattr__(self, "building", threading.Semaphore(max(1, self.options.parallelism)))
        object.__setattr__(self, "wheels", WheelContents(self.state.layout))

    def check_stop(self) -> None:
        """Raise InterruptedByUserError if a signal requested to stop; called only between steps."""
        if self.stop.is_set():
            raise InterruptedByUserError("interrupted; every environment is either old or new", hint=None)
