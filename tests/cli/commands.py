"""The commands as typer has them, and what they raise: in this process, without reading a file."""

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from reconciler.cli.app import app
from reconciler.cli.argument_order import common_last
from reconciler.cli.command_model import Argument, Command, Option, read_command
from reconciler.errors import EnvsyncError


def _group() -> TyperGroup:
    found = get_command(app)
    assert isinstance(found, TyperGroup)
    return found


GROUP = _group()
PROGRAM: Command = read_command(GROUP)
DECLARED = {name: each for name, each in GROUP.commands.items() if isinstance(each, TyperCommand)}


def parameters(command: Command) -> tuple[Argument | Option, ...]:
    """Return the arguments and options of a command."""
    return (*command.arguments, *command.options)


def refusal(arguments: list[str]) -> EnvsyncError:
    """Return the error that a command line ends with."""
    with pytest.raises(EnvsyncError) as caught:
        GROUP.main(args=common_last(arguments), prog_name="envsync", standalone_mode=False)
    return caught.value
