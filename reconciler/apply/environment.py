"""Run the steps of one environment's plan (docs/architecture.md lists the module of each step)."""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import assert_never

from reconciler.apply.build import build
from reconciler.apply.carry_over import carry_over
from reconciler.apply.collect import remove_generation
from reconciler.apply.context import ApplyContext
from reconciler.apply.hook_changes import changes_by_hooks
from reconciler.apply.observe_generation import observe_generation, refuse_if_probes_wrote
from reconciler.apply.probe import child_environment, run_hooks, run_probe, runs_programs
from reconciler.apply.publish import adopt, mark_drifted, publish, unpublish
from reconciler.apply.seal_generation import seal_generation
from reconciler.apply.verify_build import read_records, verify_lock, verify_records
from reconciler.apply.widen import widen_venv
from reconciler.backticks import list_in_backticks
from reconciler.diff.hook_changes import hook_changes_text
from reconciler.diff.model import ReasonCode, Target
from reconciler.diff.settings import settings_of
from reconciler.errors import ApplyError, DamagedCacheError, EnvsyncError, HookChangedError, RecordMismatchError
from reconciler.fs.sync import begin_sync, sync_filesystem
from reconciler.lock.lock_file import write_lock
from reconciler.lock.model import Lock
from reconciler.observe.actual import ActualEnvironment, FindingCode
from reconciler.plan.model import Action, EnvironmentPlan, Step, StepKind
from reconciler.state.adopted import Adopted
from reconciler.state.applied import Applied
from reconciler.state.deleted import Deleted
from reconciler.state.inventory import Inventory
from reconciler.state.inventory_scan import take_inventory, wait_for_clock_tick
from reconciler.state.layout import Generation, Layout

_DRIFT_OF_CONTENTS = frozenset(
    {
        ReasonCode.PACKAGES_DRIFTED,
        ReasonCode.ALREADY_AS_DESIRED,
        ReasonCode.FILES_DRIFTED,
        ReasonCode.ENVIRONMENT_DAMAGED,
        ReasonCode.CHANGED_BY_HOOK,
    }
)


class EnvironmentRun:
    """One environment on its way through the steps of its plan.

    `published` is whether this run changed the environment's path; the message of a later failure depends on it.
    """

    def __init__(self, plan: EnvironmentPlan, context: ApplyContext) -> None:
        self.plan = plan
        self.context = context
        self.generation: Generation | None = None
        self.published = False
        self._refetch: set[str] = set()  # packages to download again, because their cached files are damaged
        self._flushes: list[Future[None]] = []  # flushes of built generations, which run while they are verified
        self._observed: ActualEnvironment | None = None
        self._inventory: Inventory | None = None
        self._applied: Applied | None = None

    def begin(self) -> None:
        """Read what was last applied; raises StateError if it cannot be read any more."""
        self._applied = self.context.state.applied(self.plan.name)

    def perform(self, step: Step) -> str:
        """Perform one step; return a short sentence about it, or an empty string. Raises EnvsyncError or OSError."""
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
                for flush in self._flushes:
                    flush.result()
                sync_filesystem(self._new.directory)
            case StepKind.CARRY_OVER:
                return self._carry_over()
            case StepKind.PUBLISH:
                self._mark_drifted()
                with self._changing_path():
                    publish(self._layout, self.plan.name, self._new.number)
            case StepKind.ADOPT:
                with self._changing_path():
                    adopted = Adopted.now(self.context.keep_deleted)
                    kept = adopt(self._layout, self.plan.name, self._new.number, adopted)
                until = f", at least until {adopted.keep_until:%Y-%m-%d}" if self.context.keep_deleted else ""
                number = kept.number
                return f"`envsync rollback {self.plan.name} --to {number}` restores the previous environment{until}"
            case StepKind.BEFORE_DELETE:
                self._hooks("before_delete")
            case StepKind.UNPUBLISH:
                with self._changing_path():
                    unpublish(self._layout, self.plan.name)
            case StepKind.RECORD:
                self._record()
            case StepKind.FORGET:
                return self._forget()
            case StepKind.AFTER_PUBLISH:
                self._after_publish()
            case _:
                assert_never(step.kind)
        return ""

    def abandon(self) -> None:
        """Delete a generation that will not be published; if that fails, the next run collects it."""
        if self.generation is not None and not self.published:
            with suppress(OSError):
                remove_generation(self._layout, self.generation)

    def _mark_drifted(self) -> None:
        """Mark the published generation if it is replaced because its contents drifted: a rollback then skips it.

        Narrowed access does not count, because a rollback opens what it publishes.
        """
        number = self._layout.published_number(self.plan.name)
        codes = {each.code for each in self.plan.reasons}
        if all(each.code is FindingCode.ACCESS_NARROWED for each in self.plan.findings):
            codes.discard(ReasonCode.ENVIRONMENT_DAMAGED)
        if number and codes & _DRIFT_OF_CONTENTS:
            mark_drifted(self._layout.generation(self.plan.name, number))

    @contextmanager
    def _changing_path(self) -> Iterator[None]:
        """Set `published` from what is at the path.

        Also on failure, because the rename can succeed before the flush fails.
        """
        before = self._layout.published_number(self.plan.name)
        try:
            yield
        except BaseException:  # the error message says whether the path had changed
            self.published = self._layout.published_number(self.plan.name) != before
            raise
        self.published = True

    @property
    def _layout(self) -> Layout:
        return self.context.state.layout

    @property
    def _target(self) -> Target:
        if self.plan.target is None:
            raise ApplyError(f"{self.plan.name}: the plan has no target to build")
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
        """Build a generation; if cached files are damaged, build again and download their packages again."""
        while True:
            adopting = self.plan.action is Action.ADOPT
            self.generation = self.context.state.new_generation(self.plan.name, adopting=adopting)
            try:
                with self.context.building:
                    refresh = tuple(sorted(self._refetch))
                    build(self._target, self._lock, self.generation, self.context, refresh=refresh)
            except DamagedCacheError as error:
                self._give_up_build(error.packages, error)
            else:
                self._flushes.append(begin_sync(self._new.directory))
                count = len(self._target.packages or ())
                return f"{count} package{'' if count == 1 else 's'}{self._refetch_note}"

    def _verify(self) -> str:
        """Verify the generation; if files differ from their RECORD, build again and download their packages again."""
        before = len(self._refetch)
        while True:
            try:
                files = self._verify_once()
            except RecordMismatchError as error:
                self._give_up_build(error.packages, error)
                self._build()
            else:
                return f"{files} files{self._refetch_note if len(self._refetch) > before else ''}"

    def _give_up_build(self, packages: tuple[str, ...], error: EnvsyncError) -> None:
        """Delete a damaged generation, to download `packages` again; raise `error` if that was done, or if offline."""
        if self.context.options.offline:
            error.hint = "run the command once without `--offline`, which downloads the packages again"
            raise error
        if self._refetch.issuperset(packages):
            raise error
        self._refetch.update(packages)
        remove_generation(self._layout, self._new)

    @property
    def _refetch_note(self) -> str:
        listed = list_in_backticks(sorted(self._refetch))
        return f"; damaged cached files of {listed} were downloaded again" if listed else ""

    def _verify_once(self) -> int:
        """Compare the generation with the lock and with the RECORD files; return the number of its files."""
        venv = self._new.venv
        built = time.time_ns()
        with self.context.observing:
            self._observed = observe_generation(self._new, self._target, self.context)
            verify_lock(self._target.packages or (), self._observed)
            records = read_records(venv, self._observed)
        wait_for_clock_tick(built)  # other threads observe in the meantime
        with self.context.observing:
            self._inventory = take_inventory(venv, self.context.inodes, quiet_since=built)
            if widen_venv(venv, self._inventory, self._layout.root):
                self._inventory = take_inventory(venv, self.context.inodes)
            compiled = venv if self._target.environment.compile_bytecode else None
            verify_records(records, self._inventory, compiled)
        return len(self._inventory.names)

    def _probe(self) -> str:
        """Run the probes on the new generation, or on the published one if only settings changed."""
        environment = self._target.environment
        generation = self.generation or self._layout.generation(self.plan.name, self.plan.generation)
        observed = self._observed or observe_generation(generation, self._target, self.context)
        env = child_environment(generation.venv, environment.env, self.context.ambient)
        passed = []
        for probe in environment.probes:
            self.context.check_stop()
            passed.append(run_probe(probe, generation.venv, observed, self._target.interpreter, env))
        if self.generation is None and runs_programs(environment.probes):  # a new one is checked when it is sealed
            accepted = self._applied.accepted if self._applied else frozenset()
            refuse_if_probes_wrote(generation, self._target, self.context, accepted)
        return ", ".join(passed)

    def _seal(self) -> None:
        observed, inventory = self._observed, self._inventory
        if observed is None or inventory is None:
            raise ApplyError(f"{self.plan.name}: a generation must be verified before it is sealed")
        self._applied = seal_generation(
            self._new,
            self._target,
            self._lock,
            self.context,
            observed=observed,
            inventory=inventory,
            hooks_pending=self._runs_hooks,
        )

    def _carry_over(self) -> str:
        """Copy the ignored files of the published generation into the new one; return how many, or an empty string."""
        state = self.context.state
        old, last = state.published(self.plan.name), state.applied(self.plan.name)
        if old is None or last is None or self._inventory is None:
            return ""
        with self.context.observing:
            count = carry_over(old, self._new, self._inventory, last, self._target, self.context)
        if not count:
            return ""
        sync_filesystem(self._new.directory)
        return f"{count} ignored {'file' if count == 1 else 'files'} carried over"

    def _record(self) -> None:
        """Write the record: for the new generation, or with new settings for the published one."""
        if self._applied is None:
            raise ApplyError(f"{self.plan.name}: nothing was applied, so there is nothing to record")
        if self.generation is None:
            environment = self._target.environment
            self._applied = replace(
                self._applied,
                project=self.context.plan.project,
                manifest=self.context.owner.path,
                repository=self.context.owner.repository,
                settings=settings_of(environment),
                prevent_destroy=environment.prevent_destroy,
                hooks_pending=self._applied.hooks_pending and self._runs_hooks,
            )
        self.context.state.record(self._applied)

    def _forget(self) -> str:
        """Remove the record, and keep what a restore needs; return until when that is possible."""
        name, state, keep, remains = self.plan.name, self.context.state, self.context.keep_deleted, None
        sealed = state.sealed_numbers(name)
        if keep and sealed and self._applied is not None and self._applied.generation:
            remains = Deleted.now(replace(self._applied, project=self.context.plan.project), keep)
        state.forget(name, remains)
        self._applied = None
        if remains is None or remains.applied.generation not in sealed:
            return ""
        return f"can be restored with `envsync rollback {name}` until {remains.until}"

    @property
    def _runs_hooks(self) -> bool:
        """Return whether hooks run after this change; not if the manifest has none, or if they are skipped."""
        return any(step.kind is StepKind.AFTER_PUBLISH for step in self.plan.steps)

    def _after_publish(self) -> None:
        """Run the hooks, and record that they are done and what they changed in the environment.

        Raises HookError if one fails, or HookChangedError if they changed files or packages of the environment.
        """
        self._hooks("after_publish")
        if self._applied is None:
            return
        with self.context.observing:
            packages, paths = changes_by_hooks(self.context.state, self._applied)
        self._applied = replace(self._applied, hooks_pending=False, hook_paths=paths, hook_packages=packages)
        self.context.state.record(self._applied)
        if packages or paths:
            raise HookChangedError(
                f"a hook changed the environment: {hook_changes_text(packages, paths)}",
                hint="list its changes in `ignore_files` or `ignore`, or let the hook write outside the environment",
            )

    def _hooks(self, kind: str) -> None:
        """Run the hooks of `kind` (`after_publish` or `before_delete`) with the settings that this run applies.

        For a delete these are the settings that were applied last.
        """
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
