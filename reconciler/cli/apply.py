"""`envsync apply` and `envsync destroy`: lock, plan, show, ask, do."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

import reconciler
from reconciler.apply.context import ApplyOptions
from reconciler.cli.console import screen, written_to
from reconciler.cli.error_output import complain_of
from reconciler.cli.exclusive import refuse_beside
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
    TimeoutOption,
    YesOption,
    deadlines,
    selection,
)
from reconciler.cli.plan_output import report_of, say_plan, say_report
from reconciler.cli.signals import interruptible
from reconciler.errors import InterruptedByUserError, UsageError
from reconciler.events import Event, RunFinished
from reconciler.observe.actual import Depth
from reconciler.options import PlanOptions, Selection
from reconciler.plan.model import Plan, Policy
from reconciler.reconcile import Proposal, Workspace
from reconciler.render.events_json import event_json
from reconciler.render.progress import progress_for
from reconciler.render.report import Format
from reconciler.state.root_mutex import DEFAULT_TIMEOUT_SECONDS

_CORES = os.cpu_count() or 1
_PLAN_DECIDES = "the plan says what is done, and to which environments"
_DECIDED = ("--label", "--depth", "--prune", "--allow-empty", "--adopt", "--drop-ignored")


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
    parallelism: ParallelismOption = _CORES,
    timeout: TimeoutOption = None,
    lock_timeout: LockTimeoutOption = DEFAULT_TIMEOUT_SECONDS,
    gc: GcOption = True,
    plan_file: Annotated[
        Path | None,
        typer.Option("--plan", metavar="FILE", help="Apply this saved plan and nothing else, or refuse; does not ask."),
    ] = None,
) -> None:
    """Make the environments as the manifest says.

    Locks what has no fresh lock, shows the plan, asks, and builds; an environment is published when it is whole.
    """
    policy = Policy(prune=prune, allow_empty=allow_empty, adopt=adopt, drop_ignored=drop_ignored)
    options = PlanOptions(depth=depth, build=True, locked=locked, offline=offline, policy=policy)
    how = ApplyOptions(parallelism=parallelism, offline=offline, collect=gc)
    if plan_file is not None:
        if names:
            raise UsageError("--plan and NAME cannot go together", hint=_PLAN_DECIDES)
        refuse_beside(context, "--plan", _DECIDED, why=_PLAN_DECIDES)
        from reconciler.plan.plan_file import read_plan  # its models take their time

        saved = read_plan(plan_file)
        workspace = reconciler.load(file, deadlines=deadlines(timeout))
        with workspace.approved(saved, offline=offline, timeout=lock_timeout) as proposal:
            _show(proposal, output)
            result = _perform(proposal, how, output, paused=False)
        _finish(proposal, result, output)
        return
    workspace = reconciler.load(file, deadlines=deadlines(timeout))
    _run(workspace, selection(names, labels), options, how, output=output, yes=yes, lock_timeout=lock_timeout)


def destroy(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Environments to delete.")],
    file: FileOption = Path("envs.yaml"),
    output: FormatOption = Format.TEXT,
    yes: YesOption = False,
    lock_timeout: LockTimeoutOption = DEFAULT_TIMEOUT_SECONDS,
    gc: GcOption = True,
) -> None:
    """Delete environments that envsync made.

    What the manifest still names, the next apply makes anew.
    """
    options = PlanOptions(depth=Depth.METADATA, resolve=False, policy=Policy(destroy=frozenset(names)))
    how = ApplyOptions(parallelism=1, offline=True, collect=gc)
    _run(reconciler.load(file), Selection(), options, how, output=output, yes=yes, lock_timeout=lock_timeout)


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
    """Plan under the root's lock, show, ask, apply; exit as the result says."""
    asks = sys.stdin.isatty() and sys.stderr.isatty()
    if not yes and not asks:
        raise UsageError("apply asks before it changes anything, and there is no terminal", hint="give --yes")
    with workspace.hold(timeout=lock_timeout):
        proposal = workspace.plan(chosen, options)
        _show(proposal, output)
        if proposal.plan.has_difference and not yes:
            _ask(proposal.plan)
        result = _perform(proposal, how, output, paused=not yes)
    _finish(proposal, result, output)


def _show(proposal: Proposal, output: Format) -> None:
    """Say what is about to be done, and what cannot be; the reports tell it once it is done."""
    if output is Format.TEXT:
        say_plan(proposal.plan, output, command="apply", file=proposal.desired.file)
    complain_of(proposal.plan.failures)


def _finish(proposal: Proposal, result: RunFinished, output: Format) -> None:
    """Write the report, if one was asked for, and exit as the result says."""
    if output not in {Format.TEXT, Format.JSON}:
        report = report_of(proposal.plan, output, command="apply", file=proposal.desired.file, desired=proposal.desired)
        say_report(replace(report, result=result), output)
    if result.failure is not None:
        complain_of({"garbage collection": result.failure})
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def _ask(plan: Plan) -> None:
    """Ask once; anything but yes is no. Nothing is asked where everything is blocked."""
    if not any(each.steps and not each.blocked for each in plan.environments):
        return
    sys.stderr.write("\nApply these changes? Only 'yes' is taken for yes: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"yes", "y"}:
        raise InterruptedByUserError("not applied; nothing was changed")


def _perform(proposal: Proposal, how: ApplyOptions, output: Format, *, paused: bool) -> RunFinished:
    """Apply, telling what happens as it happens."""
    out = screen()
    with interruptible(out) as stop:
        if output is Format.JSON:
            return proposal.apply_held(how, on_event=lambda event: out.say(event_json(event)), stop=stop, paused=paused)
        if not any(each.steps and not each.blocked for each in proposal.plan.environments):
            return proposal.apply_held(how, stop=stop, paused=paused)
        live = sys.stderr.isatty() and not out.quiet and os.environ.get("TERM") != "dumb"
        with progress_for(sys.stderr, live=live, palette=out.palette(sys.stderr), quiet=out.quiet) as progress:

            def tell(event: Event) -> None:
                with written_to(sys.stderr):
                    progress.on_event(event)

            return proposal.apply_held(how, on_event=tell, stop=stop, paused=paused)
