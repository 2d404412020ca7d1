"""`envsync plan` and `envsync check`: what differs from the manifest and the locks."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

import reconciler
from reconciler import exit_codes
from reconciler.cli.console import console
from reconciler.cli.error_output import print_failures
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
    ResolveTimeoutOption,
    SkipHooksOption,
    StageOption,
    TakeOverOption,
    deadlines,
    reject_combination,
    reject_with_stage,
    selection,
)
from reconciler.cli.output_file import check_output_file
from reconciler.cli.plan_output import print_notes, print_plan
from reconciler.errors import UsageError
from reconciler.observe.actual import Depth
from reconciler.options import PlanOptions, Selection
from reconciler.plan.model import Plan, Policy
from reconciler.plan.origin_filter import OriginFilter, filter_by_origin
from reconciler.reconcile import Workspace
from reconciler.render.escape import sanitize
from reconciler.render.formats import Format
from reconciler.render.notes import general_notes

_OF_ENVIRONMENTS = (
    "--depth",
    "--adopt",
    "--drop-ignored",
    "--take-over",
    "--skip-hooks",
    "--stage",
    "--timeout",
    "--out",
    "--actual",
)
_OF_THIS_MACHINE = ("--depth", "--timeout", "--against")
_WHY = "remove one of the two: a snapshot is compared as it was taken, without its host"
_WHY_AGAINST = "remove one of the two: `--against` reads no environment"


def plan(
    context: typer.Context,
    names: NamesArgument = None,
    file: FileOption = Path("envs.yaml"),
    labels: LabelsOption = None,
    output: FormatOption = Format.TEXT,
    depth: DepthOption = Depth.FILES,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 2 if anything differs.")
    ] = False,
    locked: LockedOption = False,
    offline: OfflineOption = False,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune/--no-prune",
            help="Plan to delete environments of this project that the manifest no longer declares.",
        ),
    ] = True,
    allow_empty: AllowEmptyOption = False,
    adopt: AdoptOption = False,
    drop_ignored: DropIgnoredOption = False,
    take_over: TakeOverOption = False,
    skip_hooks: SkipHooksOption = False,
    stage: StageOption = False,
    timeout: ResolveTimeoutOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Save the plan for `apply --plan`. Implies `--locked`.", readable=False
        ),
    ] = None,
    actual: ActualOption = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="REF",
            help="Show what merging would change: compare with the manifest and locks of a git revision. "
            "Reads no environment.",
        ),
    ] = None,
) -> None:
    """Show what `apply` would do, and why.

    Changes nothing, builds nothing, and runs no code of the environments or packages.
    """
    if actual is not None:
        reject_combination(context, "--actual", (*_OF_THIS_MACHINE, "--out"), why=_WHY)
    if against is not None:
        reject_combination(context, "--against", _OF_ENVIRONMENTS, why=_WHY_AGAINST)
    if stage:
        reject_with_stage(context)
    if out is not None:
        check_output_file(out)
    policy = Policy(
        prune=prune,
        allow_empty=allow_empty,
        adopt=adopt,
        drop_ignored=drop_ignored,
        take_over=take_over,
        skip_hooks=skip_hooks,
        stage=stage,
    )
    options = PlanOptions(depth=depth, locked=locked or out is not None, offline=offline, policy=policy)
    chosen = selection(names, labels)
    workspace = reconciler.load(file, deadlines=deadlines(timeout))
    if actual is not None:
        made, desired = _plan_of_snapshot(workspace, actual, chosen, options), workspace.desired()
    elif against is None:
        proposal = workspace.plan(chosen, options)
        made, desired = proposal.plan, proposal.desired
    else:
        compared = workspace.plan_against(against, chosen, options)
        made, desired = compared.plan, compared.desired
    print_plan(made, output, command="plan", file=file, desired=desired, local=against is None and actual is None)
    print_notes(general_notes(made))
    if made.failures:
        print_failures(made.failures)
        if out:
            console().message(f"{sanitize(str(out))} was not written, because some environments could not be planned")
        raise typer.Exit(exit_codes.FAILURE)
    if out:
        from reconciler.plan.plan_file import save_plan  # its models are slow to import

        save_plan(made, out)
        console().message(
            f"The plan is saved in {sanitize(str(out))}. "
            f"To apply exactly this plan, run `envsync apply --plan {sanitize(str(out))}`."
        )
    if detailed_exitcode and made.has_difference:
        raise typer.Exit(exit_codes.DIFFERENCE)


def check(
    context: typer.Context,
    names: NamesArgument = None,
    file: FileOption = Path("envs.yaml"),
    labels: LabelsOption = None,
    output: FormatOption = Format.TEXT,
    depth: DepthOption = Depth.FILES,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune/--no-prune", help="Report environments of this project that the manifest no longer declares."
        ),
    ] = True,
    only: Annotated[
        OriginFilter | None,
        typer.Option("--only", metavar="ORIGIN", help="Show only drift or only pending changes."),
    ] = None,
    actual: ActualOption = None,
    exceptions: Annotated[
        list[str] | None,
        typer.Option(
            "--except",
            metavar="NAME:PATTERN",
            help="Do not count differences of this package, or of files that match this pattern, in this run. "
            "Can be repeated.",
        ),
    ] = None,
    allow_held: Annotated[
        bool,
        typer.Option("--allow-held", help="Do not count an environment that is held, unless it was changed manually."),
    ] = False,
) -> None:
    """Exit with 2 if anything differs from the manifest or the locks.

    Resolves nothing and needs no network, so that a CI job can use it as a gate.
    """
    if actual is not None:
        reject_combination(context, "--actual", _OF_THIS_MACHINE, why=_WHY)
    options = PlanOptions(
        depth=depth,
        resolve=False,
        offline=True,
        exceptions=_exceptions(exceptions or []),
        policy=Policy(prune=prune),
    )
    chosen = selection(names, labels)
    workspace = reconciler.load(file)
    if actual is not None:
        made, desired = _plan_of_snapshot(workspace, actual, chosen, options), workspace.desired()
    else:
        proposal = workspace.plan(chosen, options)
        made, desired = proposal.plan, proposal.desired
    if only is not None:
        made = filter_by_origin(made, only)
    made = replace(made, held_allowed=allow_held)
    print_plan(made, output, command="check", file=file, desired=desired, local=actual is None)
    print_notes(general_notes(made))
    if made.has_difference:
        raise typer.Exit(exit_codes.DIFFERENCE)


def _exceptions(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return `--except NAME:PATTERN` as pairs; raises UsageError for any other form."""
    pairs = []
    for text in texts:
        name, colon, pattern = text.partition(":")
        if not (name and colon and pattern):
            raise UsageError(
                f"`--except {text}`: must be NAME:PATTERN",
                hint="except a package with `--except web:idna`, or files with `--except web:share/*`",
            )
        pairs.append((name, pattern))
    return tuple(pairs)


def _plan_of_snapshot(workspace: Workspace, file: Path, chosen: Selection, options: PlanOptions) -> Plan:
    """Return the plan for the host of a snapshot; raises SnapshotError."""
    from reconciler.snapshot.file import read_snapshot  # its models are slow to import

    return workspace.plan_snapshot(read_snapshot(file), chosen, options)
