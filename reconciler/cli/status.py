"""`envsync status` and `envsync freeze`: what is there."""

import sys
from pathlib import Path
from typing import Annotated

import typer

import reconciler
from reconciler.cli.console import screen, shown_root
from reconciler.cli.options import DepthOption, FileOption, LabelsOption, NamesArgument, Output, OutputOption, selection
from reconciler.errors import UsageError
from reconciler.observe.actual import Depth, Occupant
from reconciler.observe.environment import observe_path
from reconciler.observe.freeze import freeze_lines
from reconciler.options import PlanOptions
from reconciler.render.escape import escape
from reconciler.render.status_text import render_status, status_json, status_rows


def status(
    names: NamesArgument = None,
    file: FileOption = Path("envs.yaml"),
    labels: LabelsOption = None,
    output: OutputOption = Output.TEXT,
    depth: DepthOption = Depth.FILES,
) -> None:
    """List the environments and how each stands."""
    options = PlanOptions(depth=depth, resolve=False, offline=True)
    plan = reconciler.load(file).plan(selection(names, labels), options).plan
    out = screen()
    rows = status_rows(plan, shown_root(plan.root))
    if output is Output.JSON:
        out.say(status_json(rows))
    else:
        out.say(render_status(rows, palette=out.palette(sys.stdout), width=out.width))


def freeze(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="An environment of the manifest.")] = None,
    path: Annotated[Path | None, typer.Option("--path", metavar="DIR", help="Any virtual environment.")] = None,
    file: FileOption = Path("envs.yaml"),
    everything: Annotated[
        bool, typer.Option("--all", help="Do not leave out pip, setuptools, wheel, distribute.")
    ] = False,
    exclude: Annotated[list[str] | None, typer.Option("--exclude", metavar="NAME", help="Leave this out.")] = None,
    exclude_editable: Annotated[bool, typer.Option("--exclude-editable", help="Leave editable installs out.")] = False,
) -> None:
    """Print what pip freeze would, running nothing.

    Reads an environment of the manifest, or any virtual environment with --path.
    """
    if (name is None) == (path is None):
        raise UsageError("freeze wants an environment's name, or --path DIR", hint="envsync freeze NAME")
    if path is not None:
        found = observe_path(path)
    else:
        workspace = reconciler.load(file)
        declared = workspace.desired().declared
        if name not in declared and workspace.state.applied(str(name)) is None:
            raise UsageError(f"no environment {name}", hint=f"there are: {', '.join(sorted(declared))}")
        found = workspace.observed(str(name))
    if found.occupant not in {Occupant.PUBLISHED, Occupant.VENV}:
        raise UsageError(f"{found.path} is no virtual environment")
    lines = freeze_lines(found, all=everything, exclude=exclude or (), exclude_editable=exclude_editable)
    screen().say("".join(f"{escape(line)}\n" for line in lines))
