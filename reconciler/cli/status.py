"""`envsync status` and `envsync freeze`: what is installed."""

import sys
from pathlib import Path
from typing import Annotated

import typer

import reconciler
from reconciler.cli.console import console, shown_root
from reconciler.cli.options import DepthOption, FileOption, LabelsOption, NamesArgument, Output, OutputOption, selection
from reconciler.cli.plan_output import print_notes
from reconciler.errors import UsageError
from reconciler.observe.actual import Depth, Occupant
from reconciler.observe.environment import observe_path
from reconciler.options import PlanOptions
from reconciler.render.escape import escape


def status(
    names: NamesArgument = None,
    file: FileOption = Path("envs.yaml"),
    labels: LabelsOption = None,
    output: OutputOption = Output.TEXT,
    depth: DepthOption = Depth.FILES,
) -> None:
    """List the environments and the status of each."""
    from reconciler.render.status_text import render_status, status_json, status_rows  # only this command needs it

    options = PlanOptions(depth=depth, resolve=False, offline=True)
    plan = reconciler.load(file).plan(selection(names, labels), options).plan
    print_notes(plan)
    out = console()
    rows = status_rows(plan, shown_root(plan.root))
    if output is Output.JSON:
        out.print(status_json(rows))
    else:
        out.print(render_status(rows, palette=out.palette(sys.stdout), width=out.width))


def freeze(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="An environment of the manifest.")] = None,
    path: Annotated[Path | None, typer.Option("--path", metavar="DIR", help="Any virtual environment.")] = None,
    file: FileOption = Path("envs.yaml"),
    everything: Annotated[bool, typer.Option("--all", help="Include pip, setuptools, wheel and distribute.")] = False,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", metavar="NAME", help="Leave out this package.")
    ] = None,
    exclude_editable: Annotated[bool, typer.Option("--exclude-editable", help="Leave out editable installs.")] = False,
) -> None:
    """Print what `pip freeze` would print, without running any code.

    Reads an environment of the manifest or, with --path, any virtual environment.
    """
    from reconciler.observe.freeze import freeze_lines  # only this command needs it

    if (name is None) == (path is None):
        raise UsageError(
            "freeze needs either the name of an environment or --path DIR", hint="run `envsync freeze NAME`"
        )
    if path is not None:
        found = observe_path(path)
    else:
        workspace = reconciler.load(file)
        declared = workspace.declared.declared
        if name not in declared and workspace.state.published(str(name)) is None:
            raise UsageError(
                f"no environment named `{name}`", hint=f"the manifest declares {', '.join(sorted(declared)) or 'none'}"
            )
        found = workspace.observe_environment(str(name))
    if found.occupant not in {Occupant.PUBLISHED, Occupant.VENV}:
        raise UsageError(
            f"{found.path} is not a virtual environment",
            hint=f"run `envsync apply {name}`" if name is not None else None,
        )
    lines = freeze_lines(found, all=everything, exclude=exclude or (), exclude_editable=exclude_editable)
    console().print("".join(f"{escape(line)}\n" for line in lines))
