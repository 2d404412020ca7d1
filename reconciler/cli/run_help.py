"""`envsync run --help`; the command itself is answered in `reconciler.cli.run`, before typer is imported."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.options import FileOption
from reconciler.cli.run import run as run_command


def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The environment.")],
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="What to run, with its arguments.")],
    file: FileOption = Path("envs.yaml"),
) -> None:
    """Run a command in an environment.

    It gets the generation that is published now, and the `env` last applied. The command takes this process's place:
    signals and exit code are its own. envsync's own errors are 125; a command that cannot be executed is 126, one that
    is not found 127.
    """
    raise typer.Exit(run_command(["--file", str(file), name, "--", *command]))
