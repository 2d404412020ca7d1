"""`envsync run --help`; `reconciler.cli.run` runs the command itself, without importing typer."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.options import FileOption


def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The environment.")],
    command: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND [ARG]...", help="The command to run, with its arguments.")
    ],
    file: FileOption = Path("envs.yaml"),
) -> None:
    """Run a command in an environment.

    The command runs in the generation that is published now, with the `env` that was last applied. It replaces the
    envsync process, so signals and the exit code are its own. envsync itself exits with 125 if it fails, with 126 if
    the command cannot be executed, and with 127 if it is not found.
    """
    from reconciler.cli.run import run as run_command  # only this command needs it

    raise typer.Exit(run_command(["--file", str(file), name, "--", *command]))
