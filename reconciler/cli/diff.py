"""`envsync diff`: how two generations of one environment differ."""

import sys
from pathlib import Path
from typing import Annotated

import typer

import reconciler
from reconciler import exit_codes
from reconciler.cli.console import console
from reconciler.cli.options import FileOption, Output, OutputOption


def diff(
    name: Annotated[str, typer.Argument(help="The environment.")],
    before: Annotated[int, typer.Argument(metavar="N", help="The generation to compare.")],
    after: Annotated[
        int | None,
        typer.Argument(metavar="M", help="The generation to compare it with.", show_default="the published one"),
    ] = None,
    file: FileOption = Path("envs.yaml"),
    output: OutputOption = Output.TEXT,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 2 if the generations differ.")] = False,
) -> None:
    """Show how two generations of an environment differ: versions, files, settings and size.

    Compares what was sealed, and runs nothing. Files are counted for each package. `-v` lists them. A file that only
    contains the path of its own generation is the same, and bytecode is not compared. `envsync history NAME` lists the
    numbers.
    """
    from reconciler.render.generation_diff_text import generation_diff_json, render_generation_diff  # only used here

    found = reconciler.load(file).maintenance.diff(name, before, after)
    out = console()
    if output is Output.JSON:
        out.print(generation_diff_json(found))
    else:
        out.print(render_generation_diff(found, palette=out.palette(sys.stdout), width=out.width, verbose=out.verbose))
    if exit_code and found.differs:
        raise typer.Exit(exit_codes.DIFFERENCE)
