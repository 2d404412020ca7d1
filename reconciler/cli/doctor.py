"""`envsync doctor`: whether this host can hold the environments, and with what."""

import sys
from pathlib import Path

import typer

import reconciler
from reconciler import exit_codes
from reconciler.cli.console import console, shown_root
from reconciler.cli.options import FileOption, Output, OutputOption


def doctor(file: FileOption = Path("envs.yaml"), output: OutputOption = Output.TEXT) -> None:
    """Examine the file system of the root and the interpreters of this host.

    What the file system can do is found out with temporary files in the root, or in the nearest directory above it.
    Interpreters that did not work when they were started before are started again. Exits with 2 if envsync needs
    something that is missing, or if an interpreter cannot be used.
    """
    from reconciler.render.diagnosis_text import diagnosis_json, render_diagnosis  # only this command needs it

    found = reconciler.load(file).diagnose()
    out = console()
    if output is Output.JSON:
        out.print(diagnosis_json(found))
    else:
        root = shown_root(found.root)
        out.print(render_diagnosis(found, root, palette=out.palette(sys.stdout), width=out.width))
    if found.has_problems:
        raise typer.Exit(exit_codes.DIFFERENCE)
