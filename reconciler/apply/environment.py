"""One environment's way through its steps; what each step does is in the module of its name."""

import datetime as dt
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import assert_never

from reconciler.apply.build import build
from reconciler.apply.collect import remove_generation
from reconciler.apply.context import ApplyContext
from reconciler.apply.probe import ProbeError, child_environment, run_hooks, run_probe, runs_programs
from reconciler.apply.publish import adopt, publish, unpublish
from reconciler.apply.verify import RecordMismatchError, read_records, verify_lock, verify_records
from reconciler.diff.model import Target
from reconciler.diff.settings import settings_of
from reconciler.engines.uv_failures import DamagedCacheError
from reconciler.errors import ApplyError, EnvsyncError
from reconciler.fs.sync import begin_sync, sync_filesystem
from reconciler.lock.lock_file import write_lock
from reconciler.lock.model import Lock
from reconciler.observe.actual import ActualEnvironment, Depth
from reconciler.observe.environment import observe_environment
from reconciler.observe.pyvenv_cfg import read_pyvenv_cfg
from reconciler.plan.model import EnvironmentPlan, Step, StepKind
from reconciler.state.applied import Applied, AppliedInterpreter
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.inventory_file import Inventory, save_inventory
from reconciler.state.inventory_scan import a_tick_after, take_inventory
from reconciler.state.layout import Generation, Layout
from reconciler.state.published import Published
from reconciler.state.seal import Seal, write_seal


class EnvironmentRun:
    """Carries one environment through the steps of its plan.

    `published` says whether the environment's path was changed: what fails after that is said to be after it.
    """

    def __init__(self, plan: EnvironmentPlan, context: ApplyContext) -> None:
        self.plan = plan
        self.context = context
        self.generation: Generation | None = None
        self.published = False
        self._distrusted: set[str] = set()  # packages whose cached files are not to be used
        self._flushes: list[Future[None]] = []  # of what was built, begun while it is looked at
        self._observed: ActualEnvironment | None = None
        self._inventory: Inventory | None = None
        self._applied: Applied | None = context.state.applied(plan.name)

    def perform(self, step: Step) -> str:
        """Perform one step; return a short sentence about it. Raises EnvsyncError or OSError."""
        if not self.published:
            self.context.check_stop()
        match step.kind:
            case StepKind.LOCK:
                write_lock(self._lock)
                return self._lock.path.name
            case StepKind.BUILD:
                return self._build()
            case StepKind.VERIFY:
                return self._verify()
            case StepKind.PROBE:
                return self._probe()
            case StepKind.SEAL:
                self._seal()
            case StepKind.SYNC:
                for begun in self._flushes:
                    begun.result()
                sync_filesystem(self._new.directory)
            case StepKind.PUBLISH:
                with self._changing_path():
                    publish(self._layout, self.plan.name, self._new.number)
            case StepKind.ADOPT:
                with self._changing_path():
                    kept = adopt(self._layout, self.plan.name, self._new.number)
                return f"the old one is kept at {kept}"
            case StepKind.BEFORE_DELETE:
                self._hooks("before_delete")
            case StepKind.UNPUBLISH:
                with self._changing_path():
                    unpublish(self._layout, self.plan.name)
            case StepKind.RECORD:
                self._record()
            case StepKind.FORGET:
                self.context.state.forget(self.plan.name)
                self._applied = None
            case StepKind.AFTER_PUBLISH:
                self._hooks("after_publish")
                if self._applied is not None:
                    self._applied = replace(self._applied, hooks_pending=False)
                    self.context.state.record(self._applied)
            case _:
                assert_never(step.kind)
        return ""

    def abandon(self) -> None:
        """Clear away a generation that will not be published; where even that fails, the next run collects it."""
        if self.generation is not None and not self.published:
            with suppress(OSError):
                remove_generation(self._layout, self.generation)

    @contextmanager
    def _changing_path(self) -> Iterator[None]:
        """See what became of the path where this fails: the rename can be done and only its flush have failed."""
        before = self._layout.published_number(self.plan.name)
        try:
            yield
        except BaseException:  # whatever it was, what is said of it depends on this
            self.published = self._layout.published_number(self.plan.name) != before
            raise
        self.published = True

    @property
    def _layout(self) -> Layout:
        return self.context.state.layout

    @property
    def _target(self) -> Target:
        if self.plan.target is None:
            raise ApplyError(f"{self.plan.name}: the plan has nothing to build from")
        return self.plan.target

    @property
    def _lock(self) -> Lock:
        if self._target.lock is None:
            raise ApplyError(f"{self.plan.name}: the plan has no lock", hint=f"run `envsync lock {self.plan.name}`")
        return self._target.lock

    @property
    def _new(self) -> Generation:
        if self.generation is None:
            raise ApplyError(f"{self.plan.name}: the plan has no build step")
        return self.generation

    def _build(self) -> str:
        """Build a generation; where the cache turns out to be damaged, again with those packages fetched anew."""
        while True:
            self.generation = self.context.state.new_generation(self.plan.name)
            try:
                with self.context.building:
                    fresh = tuple(sorted(self._distrusted))
                    build(self._target, self._lock, self.generation, self.context, refresh=fresh)
            except DamagedCacheError as error:
                self._distrust(error.packages, error)
            else:
                self._flushes.append(begin_sync(self._new.directory))
                count = len(self._target.packages or ())
                return f"{count} package{'' if count == 1 else 's'}{self._refetched}"

    def _verify(self) -> str:
        """Verify the generation; where files differ from their RECORD, build again with those packages fetched anew."""
        before = len(self._distrusted)
        while True:
            try:
                files = self._verify_once()
            except RecordMismatchError as error:
                self._distrust(error.packages, error)
                self._build()
            else:
                return f"{files} files{self._refetched if len(self._distrusted) > before else ''}"

    def _distrust(self, packages: tuple[str, ...], error: EnvsyncError) -> None:
        """Give a spoilt generation up; raise `error` where its packages were fetched anew already."""
        if self._distrusted.issuperset(packages):
            raise error
        self._distrusted.update(packages)
        remove_generation(self._layout, self._new)

    @property
    def _refetched(self) -> str:
        names = ", ".join(sorted(self._distrusted))
        return f"; the cache was damaged: fetched {names} anew" if names else ""

    def _verify_once(self) -> int:
        venv = self._new.venv
        built = time.time_ns()
        with self.context.looking:
            self._observed = self._observe(self._new, Depth.METADATA, self.context.inodes)
            verify_lock(self._target.packages or (), self._observed)
            records = read_records(venv, self._observed)
        a_tick_after(built)  # while others look
        with self.context.looking:
            self._inventory = take_inventory(venv, self.context.inodes, quiet_since=built)
            compiled = venv if self._target.environment.compile_bytecode else None
            verify_records(records, self._inventory, compiled)
        return len(self._inventory.names)

    def _probe(self) -> str:
        wanted = self._target.environment
        # Where settings alone changed, what is published is probed.
        generation = self.generation or self._layout.generation(self.plan.name, self.plan.generation)
        venv = generation.venv
        observed = self._observed or self._observe(generation, Depth.METADATA, self.context.inodes)
        env = child_environment(venv, wanted.env, self.context.ambient)
        passed = []
        for probe in wanted.probes:
            self.context.check_stop()
            passed.append(run_probe(probe, venv, observed, self._target.interpreter, env))
        if self.generation is None and runs_programs(wanted.probes):  # a new one is looked at when it is sealed
            self._refuse_if_probes_wrote(generation, self._applied.accepted if self._applied else frozenset())
        return ", ".join(passed)

    def _seal(self) -> None:
        """Write inventory and seal, having looked once more: a probe must leave the environment as it was."""
        generation, target, observed, inventory = self._new, self._target, self._observed, self._inventory
        if observed is None or inventory is None:
            raise ApplyError(f"{self.plan.name}: a generation that was not verified is not sealed")
        wanted = target.environment
        save_inventory(inventory, generation.inventory)
        accepted = frozenset(finding.key for finding in observed.findings)
        if runs_programs(wanted.probes):
            self._refuse_if_probes_wrote(generation, accepted)
        configuration = read_pyvenv_cfg(generation.venv)
        applied = Applied(
            name=self.plan.name,
            project=self.context.plan.project,
            generation=generation.number,
            interpreter=AppliedInterpreter(
                path=target.interpreter.path,
                version=target.interpreter.version,
                implementation=target.interpreter.implementation,
            ),
            packages=target.packages or (),
            installed={each.key: each.identity for each in observed.distributions},
            accepted=accepted,
            settings=settings_of(wanted),
            prevent_destroy=wanted.prevent_destroy,
            hooks_pending=bool(wanted.hooks.after_publish),
            seal="",
        )
        generation.unpublished.touch()
        digest = write_seal(
            Seal(
                applied=applied,
                plan=self.context.plan_id,
                created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
                inventory=inventory.digest,
                home=configuration.home,
                system_site_packages=wanted.system_site_packages,
                lock=self._lock.digest,
            ),
            generation.seal,
        )
        self._applied = replace(applied, seal=digest)

    def _refuse_if_probes_wrote(self, generation: Generation, accepted: frozenset[str]) -> None:
        """Look with fresh eyes: what this run remembers of the files is from before the probes."""
        fresh = InodeHashes.load(self._layout.inode_hashes)
        with self.context.looking:
            seen = self._observe(generation, Depth.FILES, fresh)
        wrote = [finding.path for finding in seen.findings if finding.path and finding.key not in accepted]
        if wrote:
            raise ProbeError(
                f"a probe changed the environment: {', '.join(wrote[:5])}",
                hint="let it write elsewhere, or name the files in ignore_files",
            )

    def _observe(self, generation: Generation, depth: Depth, inodes: InodeHashes) -> ActualEnvironment:
        """Observe a generation as if it were published already."""
        wanted = self._target.environment
        published = Published(
            generation=generation.number,
            venv=generation.venv,
            inventory=generation.inventory,
            seal="",
            home=read_pyvenv_cfg(generation.venv).home,
            system_site_packages=wanted.system_site_packages,
        )
        return observe_environment(
            self._layout.environment(self.plan.name),
            name=self.plan.name,
            published=published,
            depth=depth,
            inodes=inodes,
            ignore_files=wanted.ignore_files,
        )

    def _record(self) -> None:
        """Write the record: of the new generation, or of new settings for the one that stands."""
        if self._applied is None:
            raise ApplyError(f"{self.plan.name}: nothing was applied that could be recorded")
        if self.generation is None:
            wanted = self._target.environment
            self._applied = replace(
                self._applied,
                settings=settings_of(wanted),
                prevent_destroy=wanted.prevent_destroy,
                hooks_pending=self._applied.hooks_pending and bool(wanted.hooks.after_publish),
            )
        self.context.state.record(self._applied)

    def _hooks(self, kind: str) -> None:
        """Run the hooks of `kind` as last applied, or as this run applies them."""
        applied = self._applied
        hooks = applied.settings.get("hooks") if applied else None
        commands = hooks.get(kind) if isinstance(hooks, dict) else None
        if applied is None or not isinstance(commands, list):
            return
        number = self.generation.number if self.generation else applied.generation
        venv = self._layout.generation(self.plan.name, number).venv
        stored = applied.settings.get("env")
        env = {str(key): str(value) for key, value in stored.items()} if isinstance(stored, dict) else {}
        argvs = [[str(part) for part in argv] for argv in commands if isinstance(argv, list)]
        run_hooks(argvs, child_environment(venv, env, self.context.ambient))
