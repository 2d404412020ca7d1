"""`envsync apply`, `publish` and `destroy`: lock, plan, show the plan, ask, apply."""

import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

import reconciler
from reconciler import exit_codes
from reconciler.apply.context import ApplyOptions
from reconciler.cli.confirmation import confirm, require_terminal
from reconciler.cli.console import console, output_errors
from reconciler.cli.error_output import print_failures
from reconciler.cli.options import (
    AdoptOption,
    AllowEmptyOption,
    DepthOption,
    DropIgnoredOption,
    FileOption,
    FormatOption,
    GcOption,
    LabelsOption,
    LockedOption,
    LockTimeoutOption,
    NamesArgument,
    OfflineOption,
    ParallelismOption,
    PruneOption,
    SkipHooksOption,
    StageOption,
    TakeOverOption,
    TimeoutOption,
    YesOption,
    deadlines,
    reject_combination,
    reject_with_stage,
    selection,
)
from reconciler.cli.plan_output import print_notes, print_plan, print_report, report_of
from reconciler.cli.signals import interruptible
from reconciler.errors import UsageError
from reconciler.events import Event, Notice, RunFinished, RunStarted
from reconciler.manifest.times import age_text, parse_age
from reconciler.observe.actual import Depth
from reconciler.options import PlanOptions, Selection
from reconciler.plan.model import Action, Policy
from reconciler.processes.available_cores import available_cores
from reconciler.reconcile import Proposal, Workspace
from reconciler.render.event_json import event_json
from reconciler.render.event_text import notice_line
from reconciler.render.formats import Format
from reconciler.render.manifest_option import with_manifest_option
from reconciler.render.notes import general_notes, note_notices
from reconciler.render.progress import progress_for
from reconciler.state.root_mutex import DEFAULT_TIMEOUT_SECONDS

_CORES = available_cores()
_PLAN_DECIDES = "remove one of the two: a saved plan already says which environments change, and how"
_DECIDED = (
    "--label",
    "--depth",
    "--prune",
    "--allow-empty",
    "--adopt",
    "--drop-ignored",
    "--take-over",
    "--skip-hooks",
    "--stage",
)


def apply(
    context: typer.Context,
    names: NamesArgument = None,
    file: FileOption = Path("envs.yaml"),
    labels: LabelsOption = None,
    output: FormatOption = Format.TEXT,
    yes: YesOption = False,
    depth: DepthOption = Depth.FILES,
    locked: LockedOption = False,
    offline: OfflineOption = False,
    prune: PruneOption = True,
    allow_empty: AllowEmptyOption = False,
    adopt: AdoptOption = False,
    drop_ignored: DropIgnoredOption = False,
    take_over: TakeOverOption = False,
    skip_hooks: SkipHooksOption = False,
    stage: StageOption = False,
    parallelism: ParallelismOption = _CORES,
    timeout: TimeoutOption = None,
    lock_timeout: LockTimeoutOption = DEFAULT_TIMEOUT_SECONDS,
    gc: GcOption = True,
    plan_file: Annotated[
        Path | None,
        typer.Option(
            "--plan", metavar="FILE", help="Apply exactly this saved plan, or refuse. Does not ask.", readable=False
        ),
    ] = None,
) -> None:
    """Bring environments in line with the manifest.

    Updates locks that are out of date, shows the plan, asks for confirmation, and builds. Each environment is published
    when it is complete, so it is always either old or new.

    With `--stage`, nothing is published or deleted. Later, `envsync publish` publishes what was staged, offline and
    without a build. A later `apply` publishes it too, if it still matches the manifest.
    """
    policy = Policy(
        prune=prune,
        allow_empty=allow_empty,
        adopt=adopt,
        drop_ignored=drop_ignored,
        take_over=take_over,
        skip_hooks=skip_hooks,
        stage=stage,
    )
    if stage:
        reject_with_stage(context)
    options = PlanOptions(depth=depth, build=True, locked=locked, offline=offline, policy=policy)
    how = ApplyOptions(parallelism=parallelism, offline=offline, collect=gc)
    if plan_file is not None:
        if names:
            raise UsageError("`--plan` and NAME cannot be combined", hint=_PLAN_DECIDES)
        reject_combination(context, "--plan", _DECIDED, why=_PLAN_DECIDES)
        from reconciler.plan.plan_file import read_plan  # its models are slow to import

        saved = read_plan(plan_file)
        workspace = reconciler.load(file, deadlines=deadlines(timeout))
        with workspace.approved(saved, offline=offline, timeout=lock_timeout) as proposal:
            _show(proposal, output)
            result = _perform(proposal, how, output, recheck=False)
        _finish(proposal, result, output)
        return
    chosen = selection(names, labels)
    workspace = reconciler.load(file, deadlines=deadlines(timeout))
    _run(workspace, chosen, options, how, output=output, yes=yes, lock_timeout=lock_timeout)


def publish(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="The environments to publish. Staged environments that they depend on are published too.",
            show_default=False,
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Publish everything that is staged.")] = False,
    file: FileOption = Path("envs.yaml"),
    output: FormatOption = Format.TEXT,
    yes: YesOption = False,
    drop_ignored: DropIgnoredOption = False,
    skip_hooks: SkipHooksOption = False,
    lock_timeout: LockTimeoutOption = DEFAULT_TIMEOUT_SECONDS,
    gc: GcOption = True,
) -> None:
    """Publish what `apply --stage` built, offline and without a build.

    Every file of a staged generation is compared with its seal by hash first. An environment that changed since it was
    staged is blocked. Publishes exactly what was staged, even if the manifest or the lock changed since.
    """
    if bool(names) == everything:
        raise UsageError(
            "`envsync publish` requires NAME or `--all`" if not names else "`--all` and NAME cannot be combined",
            hint="write `envsync publish NAME` or `envsync publish --all`",
        )
    workspace = reconciler.load(file)
    with workspace.hold(timeout=lock_timeout) if workspace.is_applied else nullcontext():
        staged = workspace.staged(Selection(names=tuple(names or ())))
        unreadable = workspace.unreadable_staged() if everything else ()
    print_notes(unreadable)
    if not staged:
        if unreadable:
            raise typer.Exit(exit_codes.FAILURE)
        console().message("nothing is staged")
        return
    policy = Policy(publish=frozenset(staged), drop_ignored=drop_ignored, skip_hooks=skip_hooks)
    options = PlanOptions(resolve=False, offline=True, policy=policy)
    how = ApplyOptions(parallelism=1, offline=True, collect=gc)
    _run(workspace, Selection(), options, how, output=output, yes=yes, lock_timeout=lock_timeout)
    if unreadable:
        raise typer.Exit(exit_codes.PARTLY_APPLIED)


def destroy(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="The environments to delete.")],
    file: FileOption = Path("envs.yaml"),
    output: FormatOption = Format.TEXT,
    yes: YesOption = False,
    take_over: TakeOverOption = False,
    skip_hooks: SkipHooksOption = False,
    lock_timeout: LockTimeoutOption = DEFAULT_TIMEOUT_SECONDS,
    gc: GcOption = True,
) -> None:
    """Delete environments that envsync created.

    `envsync rollback NAME` can restore them for as long as `keep_deleted` says (7 days by default). The next `apply`
    recreates those that the manifest still declares.
    """
    policy = Policy(destroy=frozenset(names), take_over=take_over, skip_hooks=skip_hooks)
    options = PlanOptions(depth=Depth.METADATA, resolve=False, policy=policy)
    how = ApplyOptions(parallelism=1, offline=True, collect=gc)
    workspace = reconciler.load(file)
    if not workspace.is_applied:
        workspace.plan(Selection(), options)  # says that there is nothing to destroy; `hold` would make a root first
    _run(workspace, Selection(), options, how, output=output, yes=yes, lock_timeout=lock_timeout)


def _run(
    workspace: Workspace,
    chosen: Selection,
    options: PlanOptions,
    how: ApplyOptions,
    *,
    output: Format,
    yes: bool,
    lock_timeout: float,
) -> None:
    """Plan with the root locked, show the plan, ask, apply; exit with the code of the result."""
    if not yes:
        require_terminal(purpose="apply")
    with workspace.hold(timeout=lock_timeout):
        proposal = workspace.plan(chosen, options)
        _show(proposal, output)
        if proposal.plan.has_difference and not yes:
            _ask(proposal)
        result = _perform(proposal, how, output, recheck=not yes)
    _finish(proposal, result, output)


def _show(proposal: Proposal, output: Format) -> None:
    """Show what will be done, and what cannot be done; reports are written after the apply."""
    if output is Format.TEXT:
        print_plan(proposal.plan, output, command="apply", file=proposal.desired.file)
    print_failures(proposal.plan.failures)
    print_notes(general_notes(proposal.plan))


def _finish(proposal: Proposal, result: RunFinished, output: Format) -> None:
    """Write the report, if one was requested, and exit with the code of the result."""
    if output not in {Format.TEXT, Format.JSON}:
        report = report_of(proposal.plan, output, command="apply", file=proposal.desired.file, desired=proposal.desired)
        print_report(replace(report, result=result), output)
    if result.failure is not None:
        print_failures({"garbage collection": result.failure})
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def _ask(proposal: Proposal) -> None:
    """Ask once; any answer except `yes` or `y` means no. Ask nothing if everything is blocked."""
    changing = [each for each in proposal.plan.environments if each.steps and not each.blocked]
    if not changing:
        return
    deleting = any(each.action is Action.DELETE for each in changing)
    before = f"\n{_restorable(proposal.desired.keep_deleted)}\n" if deleting else "\n"
    confirm(f"{before}Apply these changes? Enter `yes` to apply them: ")


def _restorable(keep_deleted: str) -> str:
    """Return whether a deletion can be undone; `keep_deleted` is the manifest's key."""
    keep = parse_age(keep_deleted)
    if not keep:
        return "The deletions cannot be undone."
    restore = f"The deletions can be undone for {age_text(keep)}: `envsync rollback NAME` restores an environment."
    return with_manifest_option(restore)


def _perform(proposal: Proposal, how: ApplyOptions, output: Format, *, recheck: bool) -> RunFinished:
    """Apply, and show the progress."""
    out = console()
    with interruptible(out) as stop:
        if output is Format.JSON:

            def print_event(event: Event) -> None:
                out.print(event_json(event))
                if isinstance(event, RunStarted):
                    out.print("".join(map(event_json, note_notices(proposal.plan))))

            return proposal.apply_held(how, on_event=print_event, stop=stop, recheck=recheck)
        if not proposal.plan.has_difference:  # the plan that was shown says so
            return proposal.apply_held(how, on_event=_show_notices, stop=stop, recheck=recheck)
        live = sys.stderr.isatty() and not out.quiet and os.environ.get("TERM") != "dumb"
        with progress_for(sys.stderr, live=live, palette=out.palette(sys.stderr), quiet=out.quiet) as progress:

            def show_progress(event: Event) -> None:
                with output_errors(sys.stderr):
                    progress.on_event(event)

            return proposal.apply_held(how, on_event=show_progress, stop=stop, recheck=recheck)


def _show_notices(event: Event) -> None:
    """Show the notices of a run that has nothing to do; nothing else happens in it."""
    if isinstance(event, Notice):
        out = console()
        out.message(notice_line(event, out.palette(sys.stderr)))
