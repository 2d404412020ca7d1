"""`envsync show`: a saved plan, in any format."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.console import screen
from reconciler.cli.options import FileOption, FormatOption
from reconciler.cli.plan_output import say_plan
from reconciler.render.report import Format


def show(
    plan: Annotated[Path, typer.Argument(metavar="FILE", help="What `plan --out` wrote.")],
    file: FileOption = Path("envs.yaml"),
    output: FormatOption = Format.TEXT,
) -> None:
    """Show a saved plan.

    Needs neither the manifest nor the root: `--file` is only what reports are to call the manifest.
    """
    from reconciler.plan.plan_file import read_plan  # its models take their time

    saved = read_plan(plan)
    if output is Format.JSON:
        from reconciler.plan.document import document_json

        screen().say(document_json(saved.document))
    else:
        say_plan(saved.plan, output, command="plan", file=file)
