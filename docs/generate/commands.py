"""The commands as data, read from the typer application."""

from typer.core import TyperGroup
from typer.main import get_command

from reconciler.cli.app import app
from reconciler.cli.command_model import Command, read_command


def read_commands() -> tuple[Command, ...]:
    """Return the commands in the order in which `envsync --help` lists them."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)  # noqa: S101  # an application with several commands is a group
    return read_command(group).subcommands
