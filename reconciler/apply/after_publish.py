"""Run the hooks and the health check of a published generation, and return to the previous one if they fail.

What is recorded of a trial, and the return itself, are in `apply/trial.py`. See docs/design.md, "Trials".
"""

from dataclasses import replace

from reconciler.apply.applied_hooks import applied_environment, run_applied_hooks
from reconciler.apply.context import ApplyContext
from reconciler.apply.health import wait_until_healthy
from reconciler.apply.hook_changes import changes_by_hooks
from reconciler.apply.trial import end_trial, resume_trial, return_to_previous
from reconciler.diff.hook_changes import hook_changes_text
from reconciler.diff.masking import Disclosure
from reconciler.diff.settings import returns_after
from reconciler.errors import (
    ApplyError,
    EnvsyncError,
    HealthError,
    HookChangedError,
    HookError,
    InterruptedByUserError,
    RolledBackError,
)
from reconciler.state.applied import Applied


class AfterPublish:
    """What follows the publication of one environment; `applied` is what is recorded for it.

    `has_trial` is whether `run_trial` follows `run_hooks`. `earlier` is whether an earlier run published the
    generation, so that this one goes on with its trial. `rolled_back_to` is the previous generation if it is published
    again, 0 otherwise.
    """

    def __init__(self, applied: Applied, context: ApplyContext, *, has_trial: bool, earlier: bool) -> None:
        self.rolled_back_to = 0
        self._applied = applied
        self._context = context
        self._has_trial = has_trial
        self._resumes = earlier
        self._hook_changed: HookChangedError | None = None  # raised after the trial

    def run_hooks(self) -> None:
        """Run the hooks, and record that they are done and what they changed in the environment.

        Raises HookError if one fails, HookChangedError if they changed files or packages of the environment, or
        RolledBackError.
        """
        self._resume_trial()
        state = self._context.state
        try:
            run_applied_hooks("after_publish", self._applied, self._context)
        except HookError as error:
            self._roll_back("hooks", error)
            raise
        with self._context.observing:
            packages, paths = changes_by_hooks(state, self._applied)
        self._applied = replace(self._applied, hooks_pending=False, hook_paths=paths, hook_packages=packages)
        state.record(self._applied)
        if packages or paths:
            changed = HookChangedError(
                f"a hook changed the environment: {hook_changes_text(packages, paths)}",
                hint="list its changes in `ignore_files` or `ignore`, or let the hook write outside the environment",
            )
            if not self._has_trial:
                raise changed
            self._hook_changed = changed  # the hooks succeeded, so the trial goes on

    def run_trial(self) -> str:
        """Run the health check until it passes, and end the trial; return how it went.

        Raises HealthError, RolledBackError or InterruptedByUserError; an interrupted trial goes on in the next apply.
        """
        self._resume_trial()
        applied = self._applied
        health, said = applied.settings.get("health"), ""
        if isinstance(health, dict):
            env = applied_environment(applied, self._context)
            disclosure = Disclosure.of(applied.settings)
            try:
                said = f"health check {wait_until_healthy(health, env, self._context.stop, disclosure)}"
            except HealthError as error:
                self._roll_back("health", error)
                raise
            except InterruptedByUserError as error:
                error.hint = f"run `envsync apply {applied.name}` to finish the trial of the published generation"
                raise
        end_trial(self._context.state.layout.generation(applied.name, applied.generation))
        if self._hook_changed is not None:
            raise self._hook_changed
        return said

    def _resume_trial(self) -> None:
        """Count this run if it continues an earlier trial; raises RolledBackError if that trial is over."""
        if not self._resumes:
            return
        self._resumes = False
        applied = self._applied
        reason = resume_trial(self._context.state, applied.name, applied.generation)
        returns = any(returns_after(applied.settings, each) for each in ("hooks", "health"))
        if reason and returns:
            self._return_to_previous(reason)

    def _roll_back(self, moment: str, error: HookError | HealthError) -> None:
        """Publish the previous generation again if the settings say so; raises RolledBackError if that was done.

        If it cannot be done, the message of `error` says why. A hook that a signal ended has not failed.
        """
        applied = self._applied
        if self._context.stop.is_set() or not returns_after(applied.settings, moment):
            return
        if not self._context.state.layout.generation(applied.name, applied.generation).trial.exists():
            return
        problem = self._return_to_previous(error.message, details=tuple(error.details))
        error.message = f"{error.message} (not rolled back: {problem})"

    def _return_to_previous(self, reason: str, details: tuple[str, ...] = ()) -> str:
        """Publish the previous generation, run its hooks, and raise RolledBackError; return why it cannot be done."""
        failed, state = self._applied, self._context.state
        try:
            with self._context.observing:
                applied, problem = return_to_previous(state, failed, reason)
        except (EnvsyncError, OSError) as error:
            now = state.layout.published_number(failed.name)
            message = error.message if isinstance(error, EnvsyncError) else f"{error.filename}: {error.strerror}"
            what = f"{reason}; the rollback failed, and generation {now} is published: {message}"
            hint = f"fix the cause, then run `envsync apply {failed.name}`"
            raise ApplyError(what, hint=hint, details=details) from error
        if applied is None:
            return problem
        self._applied, self.rolled_back_to = applied, applied.generation
        what = f"{reason}; generation {applied.generation} is published again, generation {failed.generation} is kept"
        try:
            run_applied_hooks("after_publish", applied, self._context)
        except HookError as error:  # it succeeded before, so the generation is not at fault
            what += f"; then its own {error.message}"
            details = (*details, *error.details)
        else:
            state.record(replace(applied, hooks_pending=False))
        hint = f"fix the cause, then run `envsync apply {failed.name}` to try again"
        raise RolledBackError(what, hint=hint, details=details)
