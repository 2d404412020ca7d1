"""`envsync status` and `envsync freeze`: what is installed."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

import reconciler
from reconciler.backticks import in_backticks
from reconciler.cli.console import console, shown_root
from reconciler.cli.options import DepthOption, FileOption, LabelsOption, NamesArgument, Output, OutputOption, selection
from reconciler.cli.plan_output import print_notes
from reconciler.diff.model import ReasonCode
from reconciler.errors import UsageError
from reconciler.manifest.hints import known_names_hint
from reconciler.observe.actual import Depth, Occupant
from reconciler.observe.environment import observe_path
from reconciler.options import PlanOptions, Selection
from reconciler.render.escape import escape
from reconciler.render.hold_text import hold_text
from reconciler.render.notes import general_notes


def status(
    names: NamesArgument = None,
    file: FileOption = Path("envs.yaml"),
    labels: LabelsOption = None,
    output: OutputOption = Output.TEXT,
    depth: DepthOption = Depth.FILES,
    size: Annotated[bool, typer.Option("--size", help="Show the disk space of each environment.")] = False,
    startup: Annotated[bool, typer.Option("--startup", help="List what Python runs at every start.")] = False,
) -> None:
    """List the environments and the status of each.

    Below the list, it shows why environments are blocked. In JSON, `blocked` has the code and the
    message of the first reason.

    With `--size`, OWN is the disk space that only the published generation uses. SHARED is the space that it shares by
    hard links with other generations, other environments or the package cache. RECLAIMABLE is the space that deleting
    its older generations would free, with the environments that `--adopt` replaced. Without NAME and `--label`,
    environments that were deleted and can be restored are listed too. JSON has the sizes in bytes.

    With `--startup`, the files by which Python runs code at every start of an environment are listed, with the package
    of each. `sealed` ones were built with the environment, `added` and `changed` ones are drift, and `outside` ones
    belong to the base interpreter or to a directory that a `.pth` file adds.
    """
    # only this command needs it
    from reconciler.render.status_text import deleted_rows, render_status, status_json, status_rows

    options = PlanOptions(depth=depth, resolve=False, offline=True)
    chosen = selection(names, labels)
    workspace = reconciler.load(file)
    proposal = workspace.plan(chosen, options)
    out = console()
    numbers = {name: each.generation for name, each in proposal.staged.items()}
    root = shown_root(proposal.plan.root)
    rows = status_rows(proposal.plan, proposal.installed, root, numbers)
    maintenance = workspace.maintenance
    deleted = maintenance.deleted()
    if size:
        if chosen == Selection():
            rows += deleted_rows(deleted.keys() - {each.name for each in rows}, root)
            rows.sort(key=lambda each: each.name)
        rows = [replace(each, size=maintenance.disk_usage(each.name)) for each in rows]
    if startup:
        rows = [replace(each, startup=workspace.startup_files(each.name)) for each in rows]
    if output is Output.JSON:
        out.print(status_json(rows, sizes=size, startup=startup))
    else:
        palette = out.palette(sys.stdout)
        out.print(render_status(rows, palette=palette, width=out.width, sizes=size, startup=startup))
    untils = ", ".join(f"`{name}` until {each.until}" for name, each in deleted.items())
    restorable = f"deleted, can be restored with `envsync rollback NAME`: {untils}"
    held = [f"`{each.name}` is held: {hold_text(each.hold)}" for each in proposal.plan.environments if each.hold]
    trials = (
        f"`{each.name}`: {reason.message}"
        for each in proposal.plan.environments
        for reason in each.reasons
        if reason.code is ReasonCode.ON_TRIAL
    )
    waiting = (
        f"`{name}`: generation {each.generation} was staged on {each.since}; publish it with `envsync publish {name}`"
        for name, each in proposal.staged.items()
    )
    notes = (*held, *general_notes(proposal.plan), *trials, *waiting, *([restorable] if deleted else []))
    print_notes(notes)


def freeze(
    name: Annotated[str | None, typer.Argument(help="An environment of the manifest.")] = None,
    path: Annotated[
        Path | None,
        typer.Option("--path", metavar="DIR", help="Read this virtual environment instead of NAME.", readable=False),
    ] = None,
    file: FileOption = Path("envs.yaml"),
    everything: Annotated[
        bool, typer.Option("--all", help="Include `pip`, `setuptools`, `wheel` and `distribute`.")
    ] = False,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", metavar="PACKAGE", help="Leave out this package.")
    ] = None,
    exclude_editable: Annotated[bool, typer.Option("--exclude-editable", help="Leave out editable installs.")] = False,
) -> None:
    """Print what `pip freeze` would print, without running any code.

    Reads an environment of the manifest or, with `--path`, any virtual environment.
    """
    from reconciler.observe.freeze import freeze_lines  # only this command needs it

    if name is None and path is None:
        raise UsageError(
            "`envsync freeze` requires NAME or `--path DIR`",
            hint="write `envsync freeze NAME` or `envsync freeze --path DIR`",
        )
    if name is not None and path is not None:
        raise UsageError(
            "`--path` and NAME cannot be combined",
            hint="remove one of the two: NAME is an environment of the manifest, `--path` any virtual environment",
        )
    if path is not None:
        found = observe_path(path)
    else:
        workspace = reconciler.load(file)
        declared = workspace.declared.declared
        if name not in declared and workspace.state.published(str(name)) is None:
            raise UsageError(
                f"no environment named {in_backticks(str(name))}",
                hint=known_names_hint(str(name), declared, noun="environments"),
            )
        found = workspace.observe_environment(str(name))
    if found.occupant not in {Occupant.PUBLISHED, Occupant.VENV}:
        raise UsageError(
            f"`{found.path}` is not a virtual environment",
            hint="name the directory that contains `pyvenv.cfg`" if name is None else f"run `envsync apply {name}`",
        )
    lines = freeze_lines(found, all=everything, exclude=exclude or (), exclude_editable=exclude_editable)
    console().print("".join(f"{escape(line)}\n" for line in lines))
