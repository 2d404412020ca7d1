"""`envsync show`: print a saved plan in any format."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.console import console
from reconciler.cli.options import FormatOption
from reconciler.cli.plan_output import print_notes, print_plan
from reconciler.render.formats import Format
from reconciler.render.notes import general_notes


def show(
    plan: Annotated[Path, typer.Argument(metavar="FILE", help="A plan that `plan --out` saved.", readable=False)],
    file: Annotated[
        Path,
        typer.Option(
            "--file",
            "-f",
            metavar="FILE",
            envvar="ENVSYNC_FILE",
            help="The name of the manifest in reports. The file is not read.",
            readable=False,
        ),
    ] = Path("envs.yaml"),
    output: FormatOption = Format.TEXT,
) -> None:
    """Show a saved plan.

    Needs neither the manifest nor the root.
    """
    from reconciler.plan.plan_file import read_plan  # its models are slow to import

    saved = read_plan(plan)
    if output is Format.JSON:
        from reconciler.plan.document import document_json

        console().print(document_json(saved.document))
    else:
        print_plan(saved.plan, output, command="plan", file=file)
        print_notes(general_notes(saved.plan))
