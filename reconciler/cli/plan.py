"""`envsync plan` and `envsync check`: what differs; the same predicate, another question."""

from pathlib import Path
from typing import Annotated

import typer

import reconciler
from reconciler.cli.console import screen
from reconciler.cli.error_output import complain_of
from reconciler.cli.exclusive import refuse_beside
from reconciler.cli.options import (
    ActualOption,
    AdoptOption,
    AllowEmptyOption,
    DepthOption,
    DropIgnoredOption,
    FileOption,
    FormatOption,
    LabelsOption,
    LockedOption,
    NamesArgument,
    OfflineOption,
    PruneOption,
    TimeoutOption,
    deadlines,
    selection,
)
from reconciler.cli.plan_output import say_plan
from reconciler.observe.actual import Depth
from reconciler.options import PlanOptions, Selection
from reconciler.plan.model import Plan, Policy
from reconciler.plan.origin_filter import Side, narrowed
from reconciler.reconcile import Workspace
from reconciler.render.escape import shown
from reconciler.render.report import Format

_NOT_DONE = 1
_DIFFERENCE = 2
_OF_ENVIRONMENTS = ("--depth", "--adopt", "--drop-ignored", "--timeout", "--out", "--actual")
_OF_THIS_MACHINE = ("--depth", "--timeout", "--against")
_WHY = "a snapshot is judged as it was taken, and away from its host"


def plan(
    context: typer.Context,
    names: NamesArgument = None,
    file: FileOption = Path("envs.yaml"),
    labels: LabelsOption = None,
    output: FormatOption = Format.TEXT,
    depth: DepthOption = Depth.FILES,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 2 where there is a difference.")
    ] = False,
    locked: LockedOption = False,
    offline: OfflineOption = False,
    prune: PruneOption = True,
    allow_empty: AllowEmptyOption = False,
    adopt: AdoptOption = False,
    drop_ignored: DropIgnoredOption = False,
    timeout: TimeoutOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Save the plan for `apply --plan`; implies --locked.")
    ] = None,
    actual: ActualOption = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="REF",
            help="Compare with manifest and locks of a git revision: what merging changes. Needs no environments.",
        ),
    ] = None,
) -> None:
    """Show what apply would do, and why.

    Changes nothing, builds nothing, runs nothing of what it looks at.
    """
    policy = Policy(prune=prune, allow_empty=allow_empty, adopt=adopt, drop_ignored=drop_ignored)
    options = PlanOptions(depth=depth, locked=locked or out is not None, offline=offline, policy=policy)
    workspace = reconciler.load(file, deadlines=deadlines(timeout))
    if actual is not None:
        refuse_beside(context, "--actual", (*_OF_THIS_MACHINE, "--out"), why=_WHY)
        made, desired = _judged(workspace, actual, selection(names, labels), options), workspace.desired()
    elif against is None:
        proposal = workspace.plan(selection(names, labels), options)
        made, desired = proposal.plan, proposal.desired
    else:
        refuse_beside(context, "--against", _OF_ENVIRONMENTS, why="--against looks at no environment")
        compared = workspace.plan_against(against, selection(names, labels), options)
        made, desired = compared.plan, compared.desired
        screen().talk("".join(f"note: {shown(each)}\n" for each in compared.notes))
    say_plan(made, output, command="plan", file=file, desired=desired, here=against is None and actual is None)
    if made.failures:
        complain_of(made.failures)
        if out:
            screen().talk(f"{shown(str(out))} is not written: not everything could be planned")
        raise typer.Exit(_NOT_DONE)
    if out:
        from reconciler.plan.plan_file import save_plan  # its models take their time

        save_plan(made, out)
        screen().talk(
            f"The plan is in {shown(str(out))}; `envsync apply --plan {shown(str(out))}` does this and nothing else."
        )
    if detailed_exitcode and made.has_difference:
        raise typer.Exit(_DIFFERENCE)


def check(
    context: typer.Context,
    names: NamesArgument = None,
    file: FileOption = Path("envs.yaml"),
    labels: LabelsOption = None,
    output: FormatOption = Format.TEXT,
    depth: DepthOption = Depth.FILES,
    prune: PruneOption = True,
    only: Annotated[
        Side | None, typer.Option("--only", help="What somebody's hand did, or what manifest and locks ask for, alone.")
    ] = None,
    actual: ActualOption = None,
) -> None:
    """Exit 2 where anything differs from manifest and locks.

    Resolves nothing and needs no network: a gate for CI.
    """
    options = PlanOptions(depth=depth, resolve=False, offline=True, policy=Policy(prune=prune))
    workspace, chosen = reconciler.load(file), selection(names, labels)
    if actual is not None:
        refuse_beside(context, "--actual", _OF_THIS_MACHINE, why=_WHY)
        made, desired = _judged(workspace, actual, chosen, options), workspace.desired()
    else:
        proposal = workspace.plan(chosen, options)
        made, desired = proposal.plan, proposal.desired
    if only is not None:
        made = narrowed(made, only)
    say_plan(made, output, command="check", file=file, desired=desired, here=actual is None)
    if made.has_difference:
        raise typer.Exit(_DIFFERENCE)


def _judged(workspace: Workspace, file: Path, chosen: Selection, options: PlanOptions) -> Plan:
    """Return what differs on the host of a snapshot; raises SnapshotError."""
    from reconciler.snapshot.file import read_snapshot  # its models take as long as many a plan

    return workspace.judge(read_snapshot(file), chosen, options)
