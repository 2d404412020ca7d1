"""The classes of typer's commands: their help pages and usage errors are ours, with typer's declarations."""

from typing import Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

_Context = Any  # typer's methods take a context of a private type


class HelpfulCommand(TyperCommand):
    """One command."""

    allow_extra_args = True  # `parse_args` refuses them

    def parse_args(self, ctx: _Context, args: list[str]) -> list[str]:
        """Parse the arguments of the command; raises UsageError, or RunError for `run`."""
        given = list(args)
        try:
            extra = super().parse_args(ctx, args)
        except typer.TyperException as error:
            _refuse(error, ctx, given)
        if extra and not ctx.resilient_parsing:
            from reconciler.cli.usage_errors import unexpected_arguments

            raise unexpected_arguments(self, extra)
        return extra

    def format_help(self, ctx: _Context, formatter: Any) -> None:  # noqa: ARG002  # typer's signature
        """Write the help page."""
        _write_help(self, formatter)


class HelpfulGroup(TyperGroup):
    """The program: all its commands."""

    def parse_args(self, ctx: _Context, args: list[str]) -> list[str]:
        """Parse the options before the command; raises UsageError."""
        given = list(args)
        try:
            rest = super().parse_args(ctx, args)
        except typer.TyperException as error:
            _refuse(error, ctx, given)
        if not set(given) - {"--"} and not ctx.resilient_parsing:
            from reconciler.cli.usage_errors import missing_command

            raise missing_command(self)
        return rest

    def resolve_command(self, ctx: _Context, args: list[str]) -> Any:
        """Return the name of the command, the command and its arguments; raises UsageError."""
        if args[0] not in self.commands:
            from reconciler.cli.usage_errors import unknown_command

            raise unknown_command(self, args[0])
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: _Context, formatter: Any) -> None:  # noqa: ARG002  # typer's signature
        """Write the help page."""
        _write_help(self, formatter)


def _refuse(error: typer.TyperException, context: _Context, arguments: list[str]) -> NoReturn:
    from reconciler.cli.usage_errors import usage_error  # only invalid command lines need it

    raise usage_error(error, context, arguments) from error


def _write_help(command: TyperCommand | TyperGroup, formatter: Any) -> None:
    from reconciler.cli.command_model import read_command  # only `--help` needs these
    from reconciler.cli.help_format import format_help

    formatter.write(format_help(read_command(command), width=formatter.width))
