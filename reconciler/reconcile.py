"""The story of the program: load, lock, observe, compare, plan, apply (design, section 3).

    import reconciler
    result = reconciler.load("envs.yaml").plan().apply()

`Workspace` is a manifest on this machine, `Proposal` a plan made from it. Nothing here prints.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.apply.context import ApplyOptions
from reconciler.apply.perform import Order, perform
from reconciler.apply.recover import hold_whole
from reconciler.diff.compare import compare, retired
from reconciler.diff.model import Diff, LockState
from reconciler.engines.deadlines import Deadlines
from reconciler.engines.uv import UvEngine
from reconciler.errors import LockError, PlanFileError, PlatformError
from reconciler.events import Event, RunFinished
from reconciler.fastpath.record import remember_apply, remember_plan
from reconciler.interpreters.choose import Interpreters
from reconciler.lock.resolve import ResolveOptions
from reconciler.lock.update import LockOutcome, read_locks, resolve_again
from reconciler.maintenance import Upkeep
from reconciler.manifest.desired import DesiredState
from reconciler.manifest.expand import expand
from reconciler.manifest.load import load_manifest
from reconciler.manifest.models import Manifest
from reconciler.observe.actual import ActualEnvironment, Depth
from reconciler.observe.consistent_read import observe_settled
from reconciler.options import PlanOptions, Selection
from reconciler.plan.make import make_plan
from reconciler.plan.model import Plan, platform
from reconciler.processes.scratch import scratch_directory
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.layout import Layout
from reconciler.state.root_mutex import prepare_cache
from reconciler.state.store import State
from reconciler.targets import LockOptions, aim, to_destroy

if TYPE_CHECKING:  # what only some commands need is imported by these: each takes its time
    from reconciler.plan.plan_file import SavedPlan
    from reconciler.revision.compare import Comparison
    from reconciler.snapshot.model import Snapshot


def load(
    file: str | Path = "envs.yaml",
    *,
    ambient: Mapping[str, str] | None = None,
    deadlines: Deadlines | None = None,
) -> "Workspace":
    """Read a manifest; raises ManifestError with everything that is wrong in it."""
    if sys.platform not in {"linux", "darwin"}:
        raise PlatformError(f"envsync runs on Linux and macOS, not on {sys.platform}")
    begun = time.time_ns()
    manifest = load_manifest(Path(file))
    around = dict(os.environ if ambient is None else ambient)
    return Workspace(manifest=manifest, ambient=around, begun=begun, deadlines=deadlines or Deadlines())


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A manifest on this machine, and the state below its root; `begun` is when it was read (nanoseconds)."""

    manifest: Manifest
    ambient: Mapping[str, str] = field(repr=False)
    begun: int = field(repr=False)
    deadlines: Deadlines = field(default_factory=Deadlines)
    _held: list[int] = field(default_factory=list, init=False, repr=False, compare=False)  # the lock's descriptor

    def desired(self, selection: Selection | None = None) -> DesiredState:
        """Return what the manifest asks for, templates and matrix expanded; raises ManifestError or UsageError."""
        chosen = selection or Selection()
        return expand(self.manifest, names=chosen.names, labels=chosen.labels)

    @property
    def state(self) -> State:
        """Return the state below the manifest's root."""
        return State.at(self.desired().root)

    @property
    def upkeep(self) -> Upkeep:
        """Return what needs no plan: history, rollback, verify, garbage collection."""
        desired = self.desired()
        return Upkeep(root=desired.root, project=desired.project, ambient=self.ambient)

    @contextmanager
    def hold(self, *, timeout: float = 60.0) -> Iterator[None]:
        """Hold the root's lock while planning, asking and applying; what a kill left half-done is put right first.

        Raises LockTimeoutError or StateError.
        """
        desired = self.desired()
        with hold_whole(State.at(desired.root), timeout=timeout, locks=desired.locks) as descriptor:
            self._held.append(descriptor)
            try:
                yield
            finally:
                self._held.remove(descriptor)

    def plan(self, selection: Selection | None = None, options: PlanOptions | None = None) -> "Proposal":
        """Return what differs and what apply would do about it; writes nothing but caches, builds nothing."""
        how = options or PlanOptions()
        desired = self.desired(selection)
        state = State.at(desired.root)
        applied = state.last_applied()
        interpreters = self._interpreters(desired, state.layout)
        if how.policy.destroy:
            desired = to_destroy(desired, how.policy.destroy, applied)
            aimed, names = {}, how.policy.destroy
        else:
            resolve = ResolveOptions(build=how.build, offline=how.offline) if how.resolve else None
            with self._engine(desired, state.layout, writes=how.build) as engine:
                aimed = aim(desired, interpreters, engine, applied, LockOptions(resolve=resolve, locked=how.locked))
            names = frozenset(aimed) | frozenset(retired(desired, applied))
        interpreters.save()
        inodes = InodeHashes.load(state.layout.inode_hashes)
        applied, actual = observe_settled(names, desired, state, applied, how.depth, inodes)
        inodes.save()
        diff = Diff(environments=()) if how.policy.destroy else compare(desired, aimed, actual, applied)
        plan = make_plan(desired, diff, aimed, actual, applied, how.policy)
        plan = replace(plan, asked=(selection or Selection()).asked(how.policy), platform=platform())
        remember_plan(plan, desired, state, applied, inodes, since=self.begun)
        return Proposal(plan=plan, workspace=self, desired=desired, options=how, inodes=inodes)

    @contextmanager
    def approved(self, saved: "SavedPlan", *, offline: bool = False, timeout: float = 60.0) -> Iterator["Proposal"]:
        """Hold the root's lock, plan again as a saved plan was made, and yield the plan: it is the same.

        Raises PlanFileError naming what moved; nothing was changed then.
        """
        from reconciler.plan.stale import refuse_foreign, refuse_moved

        refuse_foreign(saved.plan, self.desired(), platform())
        asked = saved.plan.asked
        options = PlanOptions(depth=saved.plan.depth, locked=True, offline=offline, policy=asked.policy)
        with self.hold(timeout=timeout):
            try:
                proposal = self.plan(Selection(names=asked.names, labels=dict(asked.labels)), options)
            except LockError as error:
                raise PlanFileError(f"the plan no longer fits: {error.message}", hint=error.hint) from error
            refuse_moved(saved, proposal.plan)
            yield proposal

    def plan_against(
        self, revision: str, selection: Selection | None = None, options: PlanOptions | None = None
    ) -> "Comparison":
        """Return what manifest and locks change of those of a git revision; looks at no environment or interpreter.

        Of `options`, `locked` and `policy` count. Raises RevisionError, UsageError without dulwich, or LockError.
        """
        from reconciler.revision.compare import compare_with
        from reconciler.revision.git_revision import open_revision

        how = options or PlanOptions()
        with open_revision(self.manifest.file.parent, revision) as found:
            compared = compare_with(found, self.desired(selection), locked=how.locked, policy=how.policy)
        asked = (selection or Selection()).asked(how.policy)
        return replace(compared, plan=replace(compared.plan, asked=asked))

    def observe(self, selection: Selection | None = None, depth: Depth = Depth.FILES) -> "Snapshot":
        """Return what stands here and what was last applied, to be judged elsewhere; writes nothing but caches."""
        from reconciler.snapshot.take import take_snapshot

        desired = self.desired(selection)
        return take_snapshot(desired, self._interpreters(desired, State.at(desired.root).layout), depth)

    def judge(
        self, snapshot: "Snapshot", selection: Selection | None = None, options: PlanOptions | None = None
    ) -> Plan:
        """Return what differs on the host of which `snapshot` is; looks at nothing but manifest, sources and locks.

        Of `options`, `locked` and `policy` count. Raises SnapshotError where it is another project's.
        """
        from reconciler.snapshot.judge import judge_snapshot

        how, chosen = options or PlanOptions(), selection or Selection()
        plan = judge_snapshot(snapshot, self.desired(chosen), locked=how.locked, policy=how.policy)
        return replace(plan, asked=chosen.asked(how.policy))

    def lock(
        self,
        selection: Selection | None = None,
        *,
        upgrade: bool | tuple[str, ...] = False,
        check: bool = False,
        offline: bool = False,
    ) -> list[LockOutcome]:
        """Bring locks up to date and write those that changed; with `check` only say which are not fresh.

        What fails for one environment is in its outcome. Raises LockError for a lock that is there and unfit, or
        InterpreterError; nothing is then written.
        """
        desired = self.desired(selection)
        standing = read_locks(desired)
        moving = [] if check else [each for each in standing if upgrade or each.state is not LockState.FRESH]
        if not moving:
            return [each.outcome() for each in standing]
        state = State.at(desired.root)
        interpreters = self._interpreters(desired, state.layout)
        options = ResolveOptions(build=True, offline=offline, upgrade=upgrade)
        with self._engine(desired, state.layout, writes=True) as engine:
            found = resolve_again(moving, desired, state.last_applied(), interpreters, engine, options)
        return [each.renewed(found.get(each.environment.name)) for each in standing]

    def observed(self, name: str, depth: Depth = Depth.METADATA) -> ActualEnvironment:
        """Return what stands at one environment's path, whether or not the manifest names it."""
        desired = self.desired()
        state = State.at(desired.root)
        inodes = InodeHashes.load(state.layout.inode_hashes)
        _, actual = observe_settled([name], desired, state, state.last_applied(), depth, inodes)
        return actual.environments[name]

    def _interpreters(self, desired: DesiredState, layout: Layout) -> Interpreters:
        return Interpreters(self.ambient, outside=desired.file.parent.resolve(), cache=layout.interpreter_facts)

    @contextmanager
    def _engine(self, desired: DesiredState, layout: Layout, *, writes: bool) -> Iterator[UvEngine]:
        """Yield the engine; what only looks leaves no cache in a root that is not there yet, or not ours to write."""
        names = tuple(index.name for index in desired.indexes)
        with ExitStack() as stack:
            cache = layout.engine_cache if desired.cache == "own" else None
            if cache is not None and not (prepare_cache(layout) if writes else os.access(layout.cache, os.W_OK)):
                cache = stack.enter_context(scratch_directory("envsync-cache-"))
            yield UvEngine(
                ambient=self.ambient,
                cache=cache,
                index_names=names,
                lock_fd=self._held[-1] if self._held else None,  # what outlives us then never works beside a new apply
                deadlines=self.deadlines,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A plan, with what is needed to apply it."""

    plan: Plan
    workspace: Workspace = field(repr=False)
    desired: DesiredState = field(repr=False)
    options: PlanOptions = field(repr=False)
    inodes: InodeHashes = field(repr=False, compare=False)

    def apply(
        self,
        options: ApplyOptions | None = None,
        *,
        on_event: Callable[[Event], None] | None = None,
        stop: threading.Event | None = None,
        timeout: float = 60.0,
    ) -> RunFinished:
        """Take the root's lock and apply the plan; see `apply_held`."""
        with self.workspace.hold(timeout=timeout):
            return self.apply_held(options, on_event=on_event, stop=stop)

    def apply_held(
        self,
        options: ApplyOptions | None = None,
        *,
        on_event: Callable[[Event], None] | None = None,
        stop: threading.Event | None = None,
        paused: bool = True,
    ) -> RunFinished:
        """Apply the plan with the root's lock already held; `on_event` is called in this thread only.

        Unless `paused` is False (it was made a moment ago, under the same lock, and nobody was asked since) what it is
        about is looked at once more. Raises PlanFileError where what was planned on has moved since; what fails for
        one environment is in the result, never raised.
        """
        workspace = self.workspace
        state = State.at(self.desired.root)
        inodes = InodeHashes.load(state.layout.inode_hashes) if paused else self.inodes
        with workspace._engine(self.desired, state.layout, writes=True) as engine:  # its own module
            order = Order(
                plan=self.plan,
                desired=self.desired,
                state=state,
                engine=engine,
                options=options or ApplyOptions(parallelism=os.cpu_count() or 1),
                ambient=workspace.ambient,
                stop=stop or threading.Event(),
                inodes=inodes,
                paused=paused,
            )
            result = perform(order, on_event or (lambda _event: None))
        remember_apply(self.plan, result, self.desired, state, inodes, since=workspace.begun)
        return result
