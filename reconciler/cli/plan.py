"""`envsync plan` and `envsync check`: what differs; the same predicate, another question."""

import sys
from collections.abc import Callable
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
    LabelsOption,
    LockedOption,
    NamesArgument,
    OfflineOption,
    Output,
    OutputOption,
    PruneOption,
    TimeoutOption,
    deadlines,
    selection,
)
from reconciler.cli.refuse import complain_of
from reconciler.cli.screen import screen, shown_root
from reconciler.observe.actual import Depth
from reconciler.plan.document import plan_json
from reconciler.plan.model import Plan, Policy
from reconciler.reconcile import PlanOptions
from reconciler.render.plan_text import render_check, render_plan

_NOT_DONE = 1
_DIFFERENCE = 2


def plan(
    names: NamesArgument = None,
    file: FileOption = Path("envs.yaml"),
    labels: LabelsOption = None,
    output: OutputOption = Output.TEXT,
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
    made = reconciler.load(file, deadlines=deadlines(timeout)).plan(selection(names, labels), options).plan
    screen().say(plan_json(made) if output is Output.JSON else as_text(render_plan, made, file))
    if made.failures:
        complain_of(made.failures)
        raise typer.Exit(_NOT_DONE)
    if detailed_exitcode and made.has_difference:
        raise typer.Exit(_DIFFERENCE)


def check(
    names: NamesArgument = None,
    file: FileOption = Path("envs.yaml"),
    labels: LabelsOption = None,
    output: OutputOption = Output.TEXT,
    depth: DepthOption = Depth.FILES,
    prune: PruneOption = True,
) -> None:
    """Exit 2 where anything differs from manifest and locks.

    Resolves nothing and needs no network: a gate for CI.
    """
    options = PlanOptions(depth=depth, resolve=False, offline=True, policy=Policy(prune=prune))
    made = reconciler.load(file).plan(selection(names, labels), options).plan
    screen().say(plan_json(made) if output is Output.JSON else as_text(render_check, made, file))
    if made.has_difference:
        raise typer.Exit(_DIFFERENCE)


def as_text(render: Callable[..., str], made: Plan, file: Path) -> str:
    """Render a plan as this run's terminal, and the person's place, want it."""
    out = screen()
    return render(
        made,
        palette=out.palette(sys.stdout),
        width=out.width,
        verbose=out.verbose,
        shown_root=shown_root(made.root),
        manifest=file.name,
    )
