"""`envsync plan` and `envsync check`: what differs; the same predicate, another question."""

from pathlib import Path
from typing import Annotated

import typer

import reconciler
from reconciler.cli.options import (
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
from reconciler.cli.refuse import complain_of
from reconciler.cli.shown import say_plan
from reconciler.observe.actual import Depth
from reconciler.plan.model import Policy
from reconciler.reconcile import PlanOptions
from reconciler.render.report import Format

_NOT_DONE = 1
_DIFFERENCE = 2


def plan(
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
) -> None:
    """Show what apply would do, and why.

    Changes nothing, builds nothing, runs nothing of what it looks at.
    """
    policy = Policy(prune=prune, allow_empty=allow_empty, adopt=adopt, drop_ignored=drop_ignored)
    options = PlanOptions(depth=depth, locked=locked, offline=offline, policy=policy)
    proposal = reconciler.load(file, deadlines=deadlines(timeout)).plan(selection(names, labels), options)
    made = proposal.plan
    say_plan(made, output, command="plan", file=file, desired=proposal.desired)
    if made.failures:
        complain_of(made.failures)
        raise typer.Exit(_NOT_DONE)
    if detailed_exitcode and made.has_difference:
        raise typer.Exit(_DIFFERENCE)


def check(
    names: NamesArgument = None,
    file: FileOption = Path("envs.yaml"),
    labels: LabelsOption = None,
    output: FormatOption = Format.TEXT,
    depth: DepthOption = Depth.FILES,
    prune: PruneOption = True,
) -> None:
    """Exit 2 where anything differs from manifest and locks.

    Resolves nothing and needs no network: a gate for CI.
    """
    options = PlanOptions(depth=depth, resolve=False, offline=True, policy=Policy(prune=prune))
    proposal = reconciler.load(file).plan(selection(names, labels), options)
    say_plan(proposal.plan, output, command="check", file=file, desired=proposal.desired)
    if proposal.plan.has_difference:
        raise typer.Exit(_DIFFERENCE)
