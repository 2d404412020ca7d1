"""Run the steps of one environment's plan (docs/architecture.md lists the module of each step)."""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import assert_never

from reconciler.apply.after_publish import AfterPublish
from reconciler.apply.applied_hooks import run_applied_hooks
from reconciler.apply.build import build
from reconciler.apply.carry_over import carry_over
from reconciler.apply.collect import remove_generation
from reconciler.apply.context import ApplyContext
from reconciler.apply.new_startup_files import new_startup_sentences
from reconciler.apply.observe_generation import observe_generation, refuse_if_probes_wrote
from reconciler.apply.overlaps import find_overlaps
from reconciler.apply.probe import child_environment, run_probe, runs_programs
from reconciler.apply.publish import adopt, mark_drifted, publish, unpublish
from reconciler.apply.rename import rename_environment
from reconciler.apply.seal_generation import seal_generation
from reconciler.apply.spoilt_modes import spoilt_modes
from reconciler.apply.stage import stage, verify_staged
from reconciler.apply.trial import begin_trial, end_trial
from reconciler.apply.verify_build import Record, read_records, verify_lock, verify_records
from reconciler.apply.verify_local_projects import verify_local_projects
from reconciler.apply.widen import widen_venv
from reconciler.backticks import in_backticks, list_in_backticks
from reconciler.diff.masking import Disclosure
from reconciler.diff.model import ReasonCode, Target
from reconciler.diff.overlaps import overlap_sentences
from reconciler.diff.settings import settings_of
from reconciler.errors import ApplyError, EngineError, EnvsyncError, InventoryError, RecordMismatchError
from reconciler.events import Notice
from reconciler.fs.sync import begin_sync, sync_filesystem
from reconciler.lock.lock_file import write_lock
from reconciler.lock.model import Lock
from reconciler.observe.actual import ActualEnvironment, Depth, FindingCode
from reconciler.plan.model import Action, EnvironmentPlan, Step, StepKind
from reconciler.state.adopted import Adopted
from reconciler.state.applied import Applied
from reconciler.state.deleted import Deleted
from reconciler.state.inventory import Inventory
from reconciler.state.inventory_file import load_inventory
from reconciler.state.inventory_scan import take_inventory, wait_for_clock_tick
from reconciler.state.layout import Generation, Layout
from reconciler.state.overlap import Overlap
from reconciler.state.published_generation import PublishedGeneration
from reconciler.state.staged import unmark_staged

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

    `published` is whether this run changed the environment's path, and `renamed` whether it renamed the environment;
    the message of a later failure depends on both. `refetch` are packages that are downloaded again at once. The modes
    of the built files are compared with those of the generation `sealed`; without it, with those of the published one
    if its files drifted.
    """

    def __init__(
        self,
        plan: EnvironmentPlan,
        context: ApplyContext,
        *,
        refetch: frozenset[str] = frozenset(),
        sealed: PublishedGeneration | None = None,
    ) -> None:
        self.plan = plan
        self.context = context
        self.generation: Generation | None = None
        self.renamed = False
        self.rename_begun = False  # it failed after the point of no return, and the next run finishes it
        self._refetch = set(refetch)  # packages to download again, because their cached files are damaged
        self._sealed = sealed
        self._path_changed = False
        self._after: AfterPublish | None = None
        self.staged = False  # whether the generation is staged: it is then kept although it is not published
        self._replaces_drift = self._drift_of_contents()
        self._built_for = plan.target
        self._flushes: list[Future[None]] = []  # flushes of built generations, which run while they are verified
        self._observed: ActualEnvironment | None = None
        self._inventory: Inventory | None = None
        self.overlaps: tuple[Overlap, ...] = ()  # of the new generation, as its verification found them
        self._applied: Applied | None = None
        self._remains: Deleted | None = None  # what is kept of an environment that this run deletes

    def begin(self) -> None:
        """Read what was last applied; raises StateError if it can no longer be read."""
        self._applied = self._last_applied()

    def _last_applied(self) -> Applied | None:
        """Return what was last applied, under the present name; before a rename it is found under the former one."""
        last = self.context.state.applied(self._present_name)
        return last if last is None else replace(last, name=self.plan.name)

    @property
    def published(self) -> bool:
        """Return whether this run changed the environment's path, also if it then returned to what was before."""
        return self._path_changed or self.rolled_back_to > 0

    @property
    def rolled_back_to(self) -> int:
        """Return the previous generation, if this run published it again; 0 otherwise."""
        return self._after.rolled_back_to if self._after is not None else 0

    @property
    def _present_name(self) -> str:
        """Return the name that the environment has on disk now."""
        return self.plan.name if self.renamed else self.plan.renamed_from or self.plan.name

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
                sync_filesystem(self.new.directory)
            case StepKind.STAGE:
                stage(self.plan, self.new, self.context, drifted=self._replaces_drift)
                self.staged = True
            case StepKind.VERIFY_STAGED:
                return self._verify_staged()
            case StepKind.CARRY_OVER:
                return self._carry_over()
            case StepKind.RENAME:
                return self._rename()
            case StepKind.PUBLISH:
                self._mark_drifted()
                if self._has_step(StepKind.TRIAL):
                    begin_trial(self.context.state, self.plan.name, self.new.number)
                with self._changing_path():
                    publish(self._layout, self.plan.name, self.new.number)
            case StepKind.ADOPT:
                with self._changing_path():
                    adopted = Adopted.now(self.context.keep_deleted)
                    kept = adopt(self._layout, self.plan.name, self.new.number, adopted)
                until = f", at least until {adopted.keep_until:%Y-%m-%d}" if self.context.keep_deleted else ""
                number = kept.number
                return f"`envsync rollback {self.plan.name} --to {number}` restores the previous environment{until}"
            case StepKind.BEFORE_DELETE:
                if self._applied is not None:
                    run_applied_hooks("before_delete", self._applied, self.context)
            case StepKind.UNPUBLISH:
                self._unpublish()
            case StepKind.RECORD:
                self._record()
            case StepKind.FORGET:
                return self._forget()
            case StepKind.AFTER_PUBLISH | StepKind.TRIAL:
                return self._after_publish(step.kind)
            case _:
                assert_never(step.kind)
        return ""

    def abandon(self) -> None:
        """Delete a generation that will not be published; if that fails, the next run collects it."""
        if self.generation is not None and not (self.published or self.staged):
            with suppress(OSError):
                remove_generation(self._layout, self.generation)

    def _drift_of_contents(self) -> bool:
        """Return whether the plan replaces the published generation because its contents drifted.

        Narrowed access does not count, because a rollback opens what it publishes.
        """
        codes = {each.code for each in self.plan.reasons}
        if all(each.code is FindingCode.ACCESS_NARROWED for each in self.plan.findings):
            codes.discard(ReasonCode.ENVIRONMENT_DAMAGED)
        return bool(codes & _DRIFT_OF_CONTENTS)

    def _mark_drifted(self) -> None:
        """Mark the published generation if it is replaced because its contents drifted: a rollback then skips it."""
        number = self._layout.published_number(self.plan.name)
        if number and self._replaces_drift:
            mark_drifted(self._layout.generation(self.plan.name, number))

    @contextmanager
    def _changing_path(self) -> Iterator[None]:
        """Set `_path_changed` from what is at the path.

        Also on failure, because the rename can succeed before the flush fails.
        """
        before = self._layout.published_number(self.plan.name)
        try:
            yield
        except BaseException:  # the error message says whether the path had changed
            self._path_changed = self._layout.published_number(self.plan.name) != before
            raise
        self._path_changed = True

    @property
    def _layout(self) -> Layout:
        return self.context.state.layout

    @property
    def _target(self) -> Target:
        if self._built_for is None:
            raise ApplyError(f"{self.plan.name}: the plan has no target to build", hint=None)
        return self._built_for

    @property
    def _lock(self) -> Lock:
        if self._target.lock is None:
            raise ApplyError(f"{self.plan.name}: the plan has no lock", hint=f"run `envsync lock {self.plan.name}`")
        return self._target.lock

    @property
    def new(self) -> Generation:
        """Return the generation that was built; raises ApplyError if there is none."""
        if self.generation is None:
            raise ApplyError(f"{self.plan.name}: the plan has no build step", hint=None)
        return self.generation

    @property
    def verified(self) -> tuple[ActualEnvironment, Inventory]:
        """Return what the verification of the new generation found; raises ApplyError if it was not verified."""
        if self._observed is None or self._inventory is None:
            raise ApplyError(f"{self.plan.name}: a generation must be verified before it is sealed", hint=None)
        return self._observed, self._inventory

    def _build(self) -> str:
        """Build a generation; if cached files are damaged, build again and download their packages again."""
        while True:
            adopting = self.plan.action is Action.ADOPT
            above = self._newest_before()
            self.generation = self.context.state.new_generation(self.plan.name, above=above, adopting=adopting)
            try:
                with self.context.building:
                    refresh = tuple(sorted(self._refetch))
                    build(self._target, self._lock, self.generation, self.context, refresh=refresh)
            except EngineError as error:
                if not error.cached:
                    raise
                if self._refetch.issuperset(error.cached):
                    error.failed_again()
                self._give_up_build(error.cached, error)
            else:
                self._flushes.append(begin_sync(self.new.directory))
                count = len(self._target.packages or ())
                return f"{count} package{'' if count == 1 else 's'}{self._refetch_note}"

    def _verify(self) -> str:
        """Verify the generation; if files differ from their RECORD, build again and download their packages again."""
        before = len(self._refetch)
        earlier: RecordMismatchError | None = None
        while True:
            try:
                files = self._verify_once()
            except RecordMismatchError as error:
                error.explain(earlier)
                self._give_up_build(error.packages, error)
                earlier = error
                self._build()
            else:
                for each in overlap_sentences(self.overlaps):
                    if each in self.plan.notes:  # shown already
                        continue
                    self.context.emit(Notice(message=each, environment=self.plan.name))
                self._report_new_startup_files()
                return f"{files} files{self._refetch_note if len(self._refetch) > before else ''}"

    def _give_up_build(self, packages: tuple[str, ...], error: EnvsyncError) -> None:
        """Delete a damaged generation, to download `packages` again; raise `error` if that was done, or if offline."""
        if self.context.options.offline:
            error.hint = "run the command once without `--offline`, which downloads the packages again"
            raise error
        if self._refetch.issuperset(packages):
            raise error
        self._refetch.update(packages)
        remove_generation(self._layout, self.new)

    @property
    def _refetch_note(self) -> str:
        listed = list_in_backticks(sorted(self._refetch))
        return f"; files of {listed} differed from what the package lists, and were fetched again" if listed else ""

    def _verify_once(self) -> int:
        """Compare the generation with the lock and with the RECORD files; return the number of its files."""
        venv = self.new.venv
        built = time.time_ns()
        with self.context.observing:
            self._observed = observe_generation(self.new, self._target, self.context, depth=Depth.METADATA, inodes=None)
            verify_lock(self._target.packages or (), self._observed)
            verify_local_projects(venv, self._target, self._observed)
            self._report_missing_sources(self._observed)
            records = read_records(venv, self._observed)
        wait_for_clock_tick(built)  # other threads observe in the meantime
        with self.context.observing:
            self._inventory = take_inventory(venv, self.context.inodes, quiet_since=built)
            if widen_venv(venv, self._inventory, self._layout.root):
                self._inventory = take_inventory(venv, self.context.inodes)
            compiled = venv if self._target.environment.compile_bytecode else None
            overlaps = find_overlaps(venv, records, self._target.interpreter.markers)
            verify_records(records, self._inventory, compiled, overlaps.replaced)
            self.context.wheels.verify(
                venv,
                records,
                self._target.packages or (),
                self._inventory,
                fetched=self._refetch,
                replaced=overlaps.replaced,
            )
            self.overlaps = overlaps.found
            self._verify_modes(records, self._inventory)
        return len(self._inventory.names)

    def _report_missing_sources(self, observed: ActualEnvironment) -> None:
        """Report the editable projects that lack a directory to import from, which a build cannot restore.

        It is not a failure, because a project that consists only of requirements has no modules.
        """
        for each in observed.findings:
            if each.code is FindingCode.EDITABLE_MISSING:
                message = f"{in_backticks(each.package)} is an editable project: {each.detail}"
                self.context.emit(Notice(message=message, environment=self.plan.name))

    def _report_new_startup_files(self) -> None:
        """Report which files that Python runs at every start the generation brings, before it is published."""
        observed, inventory = self.verified
        before = self.context.state.published(self._present_name)
        for each in new_startup_sentences(self.new.venv, observed, inventory, before):
            self.context.emit(Notice(message=each, environment=self.plan.name))

    def _verify_modes(self, records: list[Record], inventory: Inventory) -> None:
        """Raise RecordMismatchError if cached files have a mode that an edit gave them; what was fetched is right."""
        drifted = any(change.files for change in self.plan.packages)
        sealed = self._sealed or (self.context.state.published(self.plan.name) if drifted else None)
        if sealed is None or not sealed.inventory_digest:
            return
        with suppress(InventoryError):  # then the modes are not known
            before = load_inventory(sealed.inventory, digest=sealed.inventory_digest)
            spoilt = spoilt_modes(records, inventory, before)
            files = {path: package for path, package in spoilt.items() if package not in self._refetch}
            if files:
                raise RecordMismatchError(files, than="their mode in the seal")

    def _probe(self) -> str:
        """Run the probes on the new generation, or on the published one if only settings changed."""
        environment = self._target.environment
        generation = self.generation or self._layout.generation(self._present_name, self.plan.generation)
        observed = self._observed or observe_generation(
            generation, self._target, self.context, depth=Depth.METADATA, inodes=None
        )
        env = child_environment(generation.venv, environment.env, self.context.ambient)
        disclosure = Disclosure.of(settings_of(environment))
        passed = []
        for probe in environment.probes:
            self.context.check_stop()
            passed.append(run_probe(probe, generation.venv, observed, self._target.interpreter, env, disclosure))
        if self.generation is None and runs_programs(environment.probes):  # a new one is checked when it is sealed
            accepted = self._applied.accepted if self._applied else frozenset()
            refuse_if_probes_wrote(generation, self._target, self.context, accepted)
        return ", ".join(passed)

    def _seal(self) -> None:
        observed, inventory = self.verified
        self._applied = seal_generation(
            self.new,
            self._target,
            self._lock,
            self.context,
            observed=observed,
            inventory=inventory,
            hooks_pending=self._runs_hooks or self._hooks_after_staging,
            overlaps=self.overlaps,
        )

    @property
    def _hooks_after_staging(self) -> bool:
        """Return whether hooks must run when the generation, which is only staged now, is published."""
        return self._has_step(StepKind.STAGE) and bool(self._target.environment.hooks.after_publish)

    def _verify_staged(self) -> str:
        """Verify the staged generation, which takes the place of a build; return how many files it has."""
        found = verify_staged(self.plan, self.context, hooks=self._runs_hooks)
        self.staged, self.generation = True, found.generation
        self._applied, self._inventory, self._built_for = found.applied, found.inventory, found.target
        self._replaces_drift |= found.drifted
        return f"{len(found.inventory.names)} files"

    def _carry_over(self) -> str:
        """Copy the ignored files of the published generation into the new one; return how many, or an empty string."""
        state = self.context.state
        old, last = state.published(self._present_name), self._last_applied()
        if old is None or last is None or self._inventory is None:
            return ""
        with self.context.observing:
            count = carry_over(old, self.new, self._inventory, last, self._target, self.context)
        if not count:
            return ""
        sync_filesystem(self.new.directory)
        return f"{count} ignored {'file' if count == 1 else 'files'} carried over"

    def _newest_before(self) -> int:
        """Return the newest generation under the former name, 0 if the environment is not renamed."""
        former = self.plan.renamed_from
        return max(self._layout.generation_numbers(former), default=0) if former else 0

    def _rename(self) -> str:
        """Give the generations, the path and the record of the former name to the environment."""
        former, last = self.plan.renamed_from, self._last_applied()
        if last is None:
            raise ApplyError(f"{self.plan.name}: `{former}` no longer exists, so it cannot be renamed", hint=None)
        owner = self.context.owner
        last = replace(
            last, built_as="", project=self.context.plan.project, manifest=owner.path, repository=owner.repository
        )
        try:
            rename_environment(self.context.state, former, last)
        finally:
            records = [self._layout.record(each).exists() for each in (self.plan.name, former)]
            self.renamed = records == [True, False]
            self.rename_begun = not self.renamed and self._layout.rename_journal(self.plan.name).is_symlink()
        if self.generation is None:
            self._applied = self._last_applied()
        return f"renamed from `{former}`"

    def _record(self) -> None:
        """Write the record: for the new generation, or with new settings for the published one."""
        if self._applied is None:
            raise ApplyError(f"{self.plan.name}: nothing was applied, so there is nothing to record", hint=None)
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
            if not self._has_step(StepKind.TRIAL):
                end_trial(self._layout.generation(self.plan.name, self._applied.generation))
        self.context.state.record(self._applied)

    def _unpublish(self) -> None:
        """Remove the environment's path. What a restore needs is written before, so a full disk changes nothing."""
        self._remains = self._keep_remains()
        try:
            with self._changing_path():
                unpublish(self._layout, self.plan.name)
        except BaseException:  # KeyboardInterrupt included: what is still there needs no restore
            if not self.published:  # otherwise it is deleted, and can be restored
                with suppress(OSError):
                    self.context.state.discard_deleted(self.plan.name)
            raise

    def _forget(self) -> str:
        """Remove the record, and keep what a restore needs; return until when that is possible."""
        name, state = self.plan.name, self.context.state
        remains = self._remains or self._keep_remains()
        state.forget(name)
        unmark_staged(self._layout, name)
        self._applied = None
        if remains is None or remains.applied.generation not in state.sealed_numbers(name):
            return ""
        return f"can be restored with `envsync rollback {name}` until {remains.until}"

    def _keep_remains(self) -> Deleted | None:
        """Write what a restore of the environment needs, and return it; None if nothing is kept of it."""
        name, state, keep = self.plan.name, self.context.state, self.context.keep_deleted
        if not (keep and self._applied is not None and self._applied.generation and state.sealed_numbers(name)):
            return None
        remains = Deleted.now(replace(self._applied, project=self.context.plan.project), keep)
        state.keep_deleted(name, remains)
        return remains

    @property
    def _runs_hooks(self) -> bool:
        """Return whether hooks run after this change; not if the manifest has none, or if they are skipped."""
        return self._has_step(StepKind.AFTER_PUBLISH)

    def _after_publish(self, kind: StepKind) -> str:
        """Run the hooks or the trial of what is published now; return a short sentence, or an empty string."""
        if self._after is None:
            if self._applied is None:
                return ""
            trial, earlier = self._has_step(StepKind.TRIAL), self.generation is None
            self._after = AfterPublish(self._applied, self.context, has_trial=trial, earlier=earlier)
        if kind is StepKind.TRIAL:
            return self._after.run_trial()
        self._after.run_hooks()
        return ""

    def _has_step(self, kind: StepKind) -> bool:
        return any(step.kind is kind for step in self.plan.steps)
