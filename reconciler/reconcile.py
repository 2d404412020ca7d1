"""The program from top to bottom: load, lock, observe, compare, plan, apply (docs/design.md, "Data flow").

    import reconciler
    result = reconciler.load("envs.yaml").plan().apply()

A `Workspace` is a manifest on this machine, a `Proposal` is a plan that was made from it. Nothing here prints.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.apply.collect import generation_names
from reconciler.apply.collect_cache import CollectedCache, collect_caches
from reconciler.apply.context import ApplyOptions
from reconciler.apply.perform import ApplyRequest, perform
from reconciler.apply.rebuild_generation import RebuildTools
from reconciler.apply.recover import hold_and_recover
from reconciler.apply.running import running_notes
from reconciler.diagnosis import Diagnosis, diagnose
from reconciler.diff.compare import compare
from reconciler.diff.masking import Mask
from reconciler.diff.model import Diff, Fault, Target
from reconciler.diff.root_access import with_present_access
from reconciler.engines.deadlines import Deadlines
from reconciler.engines.engine import Engine
from reconciler.engines.factory import make_engine
from reconciler.errors import EnvsyncError, InterpreterError, LockError, PlanFileError, PlatformError
from reconciler.events import Event, Failure, RunFinished
from reconciler.fastpath.record import record_apply_outcome, record_plan_outcome
from reconciler.fs.access_bits import root_bits
from reconciler.interpreters.choose import Interpreters, choose_for
from reconciler.interpreters.permitted import ForbiddenPlaces
from reconciler.lock.model import Lock, LockState
from reconciler.lock.resolve import ResolveOptions
from reconciler.lock.update import (
    LockOutcome,
    packages_to_upgrade,
    read_locks,
    refuse_upgrade_of_foreign_locks,
    resolve_again,
)
from reconciler.maintenance import Maintenance
from reconciler.manifest.desired import DesiredEnvironment, DesiredState
from reconciler.manifest.expand import declared_state, expand
from reconciler.manifest.load import load_manifest
from reconciler.manifest.models import Manifest
from reconciler.manifest.times import today_in_utc
from reconciler.observe.actual import ActualEnvironment, Depth, Occupant, StartupFile
from reconciler.observe.consistent_read import observe_consistently
from reconciler.options import PlanOptions, Selection
from reconciler.plan.make import make_plan
from reconciler.plan.model import Plan, platform
from reconciler.plan.staging import staged_with_dependencies
from reconciler.processes.available_cores import available_cores
from reconciler.processes.scratch import scratch_directory
from reconciler.scope import find_scope
from reconciler.state.applied import Applied
from reconciler.state.former_root import former_root_notes
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.layout import Layout
from reconciler.state.masking_key import read_masking_key
from reconciler.state.owner import named_path, under_present_project
from reconciler.state.root_mutex import may_write_cache, prepare_cache
from reconciler.state.staged import Staged, staged_generations
from reconciler.state.store import State
from reconciler.targets import (
    LockOptions,
    refuse_unknown_exceptions,
    resolve_targets,
    select_staged,
    skipped_note,
)

if TYPE_CHECKING:  # modules that only some commands need are imported in their methods, because imports take time
    from reconciler.plan.plan_file import SavedPlan
    from reconciler.revision.compare import Comparison
    from reconciler.snapshot.model import Snapshot


def load(
    file: str | Path = "envs.yaml",
    *,
    ambient: Mapping[str, str] | None = None,
    deadlines: Deadlines | None = None,
) -> "Workspace":
    """Read a manifest and return its workspace; raises ManifestError with every problem in it, or PlatformError.

    `ambient` are the environment variables to use, by default those of this process. `deadlines` limit how long a
    package tool may take.
    """
    if sys.platform not in {"linux", "darwin"}:
        raise PlatformError(f"envsync runs on Linux and macOS, not on {sys.platform}", hint=None)
    begun = time.time_ns()
    manifest = load_manifest(Path(file))
    variables = dict(os.environ if ambient is None else ambient)
    return Workspace(manifest=manifest, ambient=variables, begun=begun, deadlines=deadlines or Deadlines())


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A manifest on this machine, with the state below its root; `begun` is when loading began (nanoseconds)."""

    manifest: Manifest
    ambient: Mapping[str, str] = field(repr=False)
    begun: int = field(repr=False)
    deadlines: Deadlines = field(default_factory=Deadlines)
    _held: list[int] = field(default_factory=list, init=False, repr=False, compare=False)  # root mutex descriptors

    def desired(self, selection: Selection | None = None) -> DesiredState:
        """Return the selected environments, with templates and matrix expanded.

        Raises ManifestError, or UsageError if the selection names an unknown environment.
        """
        chosen = selection or Selection()
        return expand(self.manifest, names=chosen.names, labels=chosen.labels, ambient=self.ambient)

    @property
    def declared(self) -> DesiredState:
        """Return what the manifest declares without environments and their files; see `declared_state`."""
        return declared_state(self.manifest)

    @property
    def state(self) -> State:
        """Return the state below the manifest's root."""
        return State.at(self.declared.root)

    def diagnose(self) -> Diagnosis:
        """Return what the file system of the root can do, and which interpreters this host has.

        Interpreters that did not work before are started again. Only caches are written.
        """
        desired = self.declared
        layout = Layout(desired.root)
        return diagnose(layout, self._interpreters(desired, layout))

    @property
    def maintenance(self) -> Maintenance:
        """Return history, rollback, verify, trust and garbage collection, which need no plan."""
        desired = self.declared
        layout = Layout(desired.root)
        tools = RebuildTools(
            locks=desired.locks,
            indexes=desired.indexes,
            declared=self._declared_environment,
            interpreter=lambda path, request: self._interpreters(desired, layout).recorded(path, request=request),
            engine=lambda descriptor: self._engine(desired, layout, writes=True, descriptor=descriptor),
            ambient=self.ambient,
        )
        return Maintenance(root=desired.root, project=desired.project, ambient=self.ambient, rebuilding=tools)

    def _declared_environment(self, name: str) -> DesiredEnvironment | None:
        """Return the environment that the manifest declares under a name, None if it declares none."""
        if name not in self.declared.declared:
            return None
        return next(each for each in self.desired(Selection(names=(name,))).environments if each.name == name)

    def lock(
        self,
        selection: Selection | None = None,
        *,
        upgrade: bool | tuple[str, ...] = False,
        check: bool = False,
        offline: bool = False,
    ) -> list[LockOutcome]:
        """Update the locks that are missing or out of date; with `check`, only return the state of each lock.

        `upgrade` is True to upgrade every package, or the names of packages to upgrade. The failure of an environment
        is in its outcome; the others are not affected. Raises UsageError if no selected environment has such a package;
        then no lock is written.
        """
        desired = self.desired(selection)
        skipped = self._skipped(desired)
        locks = read_locks(desired)
        if not check:
            locks = [each.to_be_made_again() for each in locks]
        if upgrade:
            refuse_upgrade_of_foreign_locks(locks)
        if isinstance(upgrade, tuple):
            upgrade = packages_to_upgrade(upgrade, locks)
        behind = [each for each in locks if upgrade or each.state is not LockState.FRESH]
        outdated = (
            [] if check else [each for each in behind if each.failure is None and each.environment.name not in skipped]
        )
        resolved: Mapping[str, Lock | str | EnvsyncError] = {}
        if outdated:
            state = State.at(desired.root)
            interpreters = self._interpreters(desired, state.layout)
            options = ResolveOptions(build=True, offline=offline, upgrade=upgrade)
            with self._engine(desired, state.layout, writes=True) as engine:
                resolved = resolve_again(outdated, desired, state.last_applied(), interpreters, engine, options)
        outcomes = [each.update(resolved.get(each.environment.name), write=not check) for each in locks]
        return [
            replace(each, note=skipped_note(skipped[each.environment])) if each.environment in skipped else each
            for each in outcomes
        ]

    def refused_locks(self, selection: Selection | None = None) -> dict[str, Failure]:
        """Return the failure of each selected environment whose lock contains what the manifest does not allow."""
        found = read_locks(self.desired(selection))
        return {each.environment.name: each.failure for each in found if each.refused and each.failure is not None}

    def plan(self, selection: Selection | None = None, options: PlanOptions | None = None) -> "Proposal":
        """Return what differs and what apply would do about it. Only caches are written.

        No environment is built; source distributions are built only with `options.build`.
        Raises ManifestError, UsageError, LockError, InterpreterError or StateError.
        """
        chosen, options = selection or Selection(), options or PlanOptions()
        desired = self.desired(chosen)
        refuse_unknown_exceptions(options.exceptions, desired)
        state = State.at(desired.root)
        file = named_path(desired.file, desired.root, self.ambient.get("PWD", ""))
        scope = find_scope(
            state,
            desired,
            file,
            options.policy,
            lambda applied, faults: self._targets(desired, state, applied, faults, options),
        )
        inodes = InodeHashes.load(state.layout.inode_hashes)
        last, actual = observe_consistently(
            scope.names, scope.observed, state, scope.applied, options.depth, inodes, scope.faults
        )
        inodes.save()
        desired, targets, owners = scope.desired, scope.targets, scope.owners
        renames, actual = scope.renames.observed(actual)
        applied = under_present_project(renames.applied(last), owners, desired.project)
        applied = with_present_access(applied, desired.access, root_bits(desired.root))
        mask = Mask(read_masking_key(state.layout))
        diff = Diff(environments=())
        if not (options.policy.destroy or options.policy.publish):
            diff = compare(desired, targets, actual, applied, options.exceptions, today=today_in_utc(), mask=mask)
        plan = make_plan(
            desired,
            diff,
            targets,
            actual,
            applied,
            options.policy,
            owners=owners,
            faults=scope.faults,
            staged=scope.staged,
            renames=renames,
        )
        plan = replace(plan, asked=chosen.plan_request(options.policy), platform=platform(), notes=scope.notes)
        # With exceptions an environment with differences can be unchanged, and the fast path knows nothing staged.
        if not options.exceptions and not scope.staged:
            record_plan_outcome(plan, desired, state, applied, inodes, since=self.begun)
        installed = {
            name: len(each.distributions)
            for name, each in actual.environments.items()
            if each.occupant in {Occupant.PUBLISHED, Occupant.VENV}
        }
        remarks = (*running_notes(plan, state.layout), *(former_root_notes(desired) if not last else ()))
        return Proposal(
            plan=replace(plan, remarks=remarks),
            installed=installed,
            workspace=self,
            desired=desired,
            options=options,
            inodes=inodes,
            staged=scope.staged,
        )

    def staged(self, selection: Selection | None = None) -> dict[str, Staged]:
        """Return the staged generations of the selected environments, and those of what they depend on, by name.

        One that belongs to another project, or that cannot be read, is left out; see `unreadable_staged`. Raises
        UsageError if nothing is staged for a selected name, or StateError if that cannot be read.
        """
        chosen = selection or Selection()
        desired = self.desired(chosen)
        state = State.at(desired.root)
        names = {each.name for each in desired.environments}
        if not desired.selected:  # environments that are no longer declared are refused by name
            names |= set(generation_names(state.layout))
        select_staged(state, chosen.names)
        found, _ = staged_generations(state, names)
        if not chosen.names:
            return {name: each for name, each in found.items() if each.applied.project == desired.project}
        wanted = staged_with_dependencies(desired, chosen.names, found)
        return {name: each for name, each in found.items() if name in wanted}

    def unreadable_staged(self) -> tuple[str, ...]:
        """Return a sentence about each staged generation below the root that cannot be read."""
        state = self.state
        return staged_generations(state, generation_names(state.layout))[1]

    @property
    def is_applied(self) -> bool:
        """Return whether anything was ever applied in the root; `hold` makes a root that does not exist."""
        return State.at(self.declared.root).exists

    @contextmanager
    def hold(self, *, timeout: float = 60.0) -> Iterator[None]:
        """Lock the root, so that no other apply runs while this one plans, asks for approval and applies.

        Leftovers of an interrupted run are cleaned up first. `timeout` is in seconds. Raises LockTimeoutError or
        StateError.
        """
        desired = self.declared
        with hold_and_recover(State.at(desired.root), timeout=timeout, locks=desired.locks) as descriptor:
            self._held.append(descriptor)
            try:
                yield
            finally:
                self._held.remove(descriptor)

    @contextmanager
    def approved(self, saved: "SavedPlan", *, offline: bool = False, timeout: float = 60.0) -> Iterator["Proposal"]:
        """Lock the root, make the saved plan again, and yield it if it is still the same.

        `timeout` is in seconds. Raises PlanFileError with everything that changed since; then nothing was changed.
        """
        from reconciler.plan.stale import refuse_foreign, refuse_stale

        request = saved.plan.asked
        chosen = Selection(names=request.names, labels=dict(request.labels))
        refuse_foreign(saved.plan, self.desired(chosen), platform())
        options = PlanOptions(depth=saved.plan.depth, locked=True, offline=offline, policy=request.policy)
        with self.hold(timeout=timeout):
            try:
                proposal = self.plan(chosen, options)
            except LockError as error:
                raise PlanFileError(f"the plan cannot be applied: {error.message}", hint=error.hint) from error
            refuse_stale(saved, proposal.plan)
            yield proposal

    def plan_against(
        self, revision: str, selection: Selection | None = None, options: PlanOptions | None = None
    ) -> "Comparison":
        """Return how manifest and locks differ from those of a git revision, without environments or interpreters.

        Only `locked` and `policy` of `options` are used. Raises RevisionError, LockError, or UsageError if dulwich is
        not installed.
        """
        from reconciler.revision.compare import compare_with
        from reconciler.revision.git_revision import open_revision

        chosen, options = selection or Selection(), options or PlanOptions()
        with open_revision(self.manifest.file.parent, revision) as opened:
            desired = self.desired(chosen)
            mask = Mask(read_masking_key(Layout(desired.root)))
            compared = compare_with(opened, desired, locked=options.locked, policy=options.policy, mask=mask)
        asked = chosen.plan_request(options.policy)
        return replace(compared, plan=replace(compared.plan, asked=asked, remarks=compared.notes))

    def observe(self, selection: Selection | None = None, depth: Depth = Depth.FILES) -> "Snapshot":
        """Return a snapshot: actual and last applied state, for a plan on another machine. Only caches are written."""
        from reconciler.snapshot.take import take_snapshot

        desired = self.desired(selection)
        named = named_path(desired.file, desired.root, self.ambient.get("PWD", ""))
        return take_snapshot(desired, self._interpreters(desired, State.at(desired.root).layout), depth, named)

    def plan_snapshot(
        self, snapshot: "Snapshot", selection: Selection | None = None, options: PlanOptions | None = None
    ) -> Plan:
        """Return the plan for the host of a snapshot, made from its contents, the manifest, local sources and locks.

        Only `locked`, `policy` and `exceptions` of `options` are used. Raises LockError, or SnapshotError if it belongs
        to a different project.
        """
        from reconciler.snapshot.plan import plan_snapshot

        chosen, options = selection or Selection(), options or PlanOptions()
        desired = self.desired(chosen)
        refuse_unknown_exceptions(options.exceptions, desired)
        plan = plan_snapshot(
            snapshot, desired, locked=options.locked, policy=options.policy, exceptions=options.exceptions
        )
        return replace(plan, asked=chosen.plan_request(options.policy))

    def observe_environment(self, name: str, depth: Depth = Depth.METADATA) -> ActualEnvironment:
        """Return the actual state at one environment's path, whether or not the manifest declares it."""
        desired = self.desired(Selection(names=(name,))) if name in self.declared.declared else self.declared
        state = State.at(desired.root)
        inodes = InodeHashes.load(state.layout.inode_hashes)
        _, actual = observe_consistently([name], desired, state, state.last_applied(), depth, inodes)
        return actual.environments[name]

    def startup_files(self, name: str) -> tuple[StartupFile, ...]:
        """Return everything that Python runs at every start of one environment, also in its base interpreter."""
        from reconciler.observe.startup_listing import list_startup_files

        return list_startup_files(self.observe_environment(name))

    def collect_caches(self, *, timeout: float = 60.0) -> list[CollectedCache]:
        """Delete from the root's caches what nothing needs; wait at most `timeout` seconds for the root mutex.

        The user's own package cache (`cache: user`) stays as it is.
        """
        desired = self.desired()
        state = State.at(desired.root)
        if not state.exists:
            return []
        with self.hold(timeout=timeout), self._engine(desired, state.layout, writes=True) as engine:
            return collect_caches(state, engine if desired.cache == "own" else None)

    def _targets(
        self,
        desired: DesiredState,
        state: State,
        applied: Mapping[str, Applied],
        faults: Mapping[str, Fault],
        options: PlanOptions,
    ) -> Mapping[str, Target]:
        """Return what each selected environment will become, resolving locks as `options` allow."""
        interpreters = self._interpreters(desired, state.layout)
        resolve = (
            ResolveOptions(build=options.build, offline=options.offline, upgrade=False) if options.resolve else None
        )
        lock_options = LockOptions(resolve=resolve, locked=options.locked)
        with self._engine(desired, state.layout, writes=options.build) as engine:
            targets = resolve_targets(desired, interpreters, engine, applied, lock_options, faults)
        interpreters.save()
        return targets

    def _skipped(self, desired: DesiredState) -> dict[str, DesiredEnvironment]:
        """Return the optional environments that have no interpreter on this machine and were never applied, by name."""
        optional = [each for each in desired.environments if each.optional]
        if not optional:
            return {}
        state = State.at(desired.root)
        applied, unreadable = state.read()
        interpreters = self._interpreters(desired, state.layout)
        found = {}
        for each in optional:
            if each.name not in applied and each.name not in unreadable:
                try:
                    choose_for(each, interpreters)
                except InterpreterError:
                    found[each.name] = each
        return found

    def _interpreters(self, desired: DesiredState, layout: Layout) -> Interpreters:
        places = ForbiddenPlaces.of(desired.file, desired.root)
        return Interpreters(self.ambient, places=places, cache=layout.interpreter_facts)

    @contextmanager
    def _engine(
        self, desired: DesiredState, layout: Layout, *, writes: bool, descriptor: int | None = None
    ) -> Iterator[Engine]:
        """Yield the engine. Unless `writes`, it uses a temporary cache if it may not write to that of the root.

        `descriptor` is that of the root mutex if this workspace does not hold it itself.
        """
        names = tuple(index.name for index in desired.indexes)
        with ExitStack() as stack:
            cache = layout.engine_cache if desired.cache == "own" else None
            if cache is not None and not (prepare_cache(layout) if writes else may_write_cache(layout)):
                with suppress(OSError):  # nowhere is writable: what is locked can still be compared, and used
                    cache = stack.enter_context(scratch_directory("cache"))
            yield make_engine(
                ambient=self.ambient,
                cache=cache,
                index_names=names,
                # If envsync is killed and a child survives, the child keeps the root locked until it ends.
                inherited_descriptor=self._held[-1] if self._held else descriptor,
                deadlines=self.deadlines,
                places=ForbiddenPlaces.of(desired.file, desired.root),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A plan, with everything that is needed to apply it.

    `installed` is the number of distributions that were found in each environment that exists. `staged` has the
    generations that are staged for its environments.
    """

    plan: Plan
    installed: Mapping[str, int]
    workspace: Workspace = field(repr=False)
    desired: DesiredState = field(repr=False)
    options: PlanOptions = field(repr=False)
    inodes: InodeHashes = field(repr=False, compare=False)
    staged: Mapping[str, Staged] = field(default_factory=dict, repr=False, compare=False)

    def apply(
        self,
        options: ApplyOptions | None = None,
        *,
        on_event: Callable[[Event], None] | None = None,
        stop: threading.Event | None = None,
        timeout: float = 60.0,
    ) -> RunFinished:
        """Lock the root and apply the plan; see `apply_held`. `timeout` is in seconds."""
        with self.workspace.hold(timeout=timeout):
            return self.apply_held(options, on_event=on_event, stop=stop)

    def apply_held(
        self,
        options: ApplyOptions | None = None,
        *,
        on_event: Callable[[Event], None] | None = None,
        stop: threading.Event | None = None,
        recheck: bool = True,
    ) -> RunFinished:
        """Apply the plan while the root is already locked (`Workspace.hold`); return the result.

        `on_event` is called with every event, in this thread. `stop` ends the run at the next safe point when it is
        set. `recheck` observes the environments again before anything is changed; pass False only if the plan was made
        a moment ago while the root was locked. Raises PlanFileError if an environment changed since the plan was made.
        The failure of an environment is in the result and is not raised.
        """
        workspace = self.workspace
        state = State.at(self.desired.root)
        inodes = InodeHashes.load(state.layout.inode_hashes) if recheck else self.inodes
        with workspace._engine(self.desired, state.layout, writes=True) as engine:  # its own module
            request = ApplyRequest(
                plan=self.plan,
                desired=self.desired,
                state=state,
                engine=engine,
                options=options or ApplyOptions(parallelism=available_cores()),
                ambient=workspace.ambient,
                stop=stop or threading.Event(),
                inodes=inodes,
                recheck=recheck,
            )
            result = perform(request, on_event or (lambda _event: None))
        policy = self.options.policy
        if not (self.options.exceptions or policy.stage or policy.publish):
            record_apply_outcome(self.plan, result, self.desired, state, inodes, since=workspace.begun)
        return result
