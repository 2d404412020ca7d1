"""Options of one command that rule each other out."""

from collections.abc import Iterable

import typer

from reconciler.errors import UsageError


def refuse_beside(context: typer.Context, option: str, others: Iterable[str], *, why: str) -> None:
    """Raise UsageError where one of `others` (`--depth`) is on the command line beside `option`."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        given = source is not None and source.name == "COMMANDLINE"
        for name in parameter.opts:
            if given and name in others:
                raise UsageError(f"{option} and {name} cannot go together", hint=why)
