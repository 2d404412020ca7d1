"""Invalid command lines: what typer found wrong with one, in the form and with the hints of all other errors."""

import shlex
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup

from reconciler.backticks import in_backticks, list_in_backticks
from reconciler.cli.argument_order import is_common
from reconciler.cli.command_model import Argument, Command, Option, read_argument, read_command
from reconciler.cli.options import as_typed
from reconciler.errors import EnvsyncError, RunError, UsageError
from reconciler.manifest.hints import closest_match, did_you_mean, suggest


def usage_error(error: typer.TyperException, context: Any, arguments: Sequence[str]) -> EnvsyncError:
    """Return the error for what typer found wrong in `arguments`, which are those behind the name of a command.

    `context` is typer's context of the command. Most of typer's classes of errors are private: their names identify
    them. An error of a class that is not known here keeps typer's words.
    """
    command = read_command(context.command)
    found: Any = error  # its class decides which attributes it has
    match type(error).__name__:
        case "NoSuchOption":
            return _unknown_option(command, found.option_name, arguments)
        case "BadOptionUsage":
            return _misused_option(command, found.option_name)
        case "MissingParameter":
            argument = read_argument(context.command, found.param)
            return _error(command, f"`{command.path}` requires {argument.metavar}", f"write `{command.usage}`")
        case "BadParameter":
            typed, _, _ = context.command.make_parser(context).parse_args(list(arguments))
            return _invalid_value(command, _parameter(context.command, command, found.param), typed[found.param.name])
        case _:
            words = error.format_message()
            return _error(command, words[:1].lower() + words[1:].removesuffix("."), _help_hint(command))


def unexpected_arguments(declared: TyperCommand, extra: Sequence[str]) -> EnvsyncError:
    """Return the error for arguments behind the last one that a command takes."""
    command = read_command(declared)
    noun = "argument" if len(extra) == 1 else "arguments"
    return _error(command, f"unexpected {noun} {list_in_backticks(extra)} of `{command.path}`", _help_hint(command))


def unknown_command(declared: TyperGroup, name: str) -> EnvsyncError:
    """Return the error for a command that does not exist."""
    command = read_command(declared)
    hint = did_you_mean(name, declared.commands) or _help_hint(command)
    return _error(command, f"unknown command {in_backticks(name)}", hint)


def missing_command(declared: TyperGroup) -> EnvsyncError:
    """Return the error for a command line without a command."""
    return _missing_command(read_command(declared))


def _missing_command(command: Command) -> EnvsyncError:
    return _error(command, f"`{command.path}` requires COMMAND", _help_hint(command))


def _unknown_option(command: Command, name: str, arguments: Sequence[str]) -> EnvsyncError:
    """Return the error for an option that a command does not have."""
    if command.subcommands and is_common(name):  # `common_last` moves it behind the command, if one exists
        return _missing_command(command)
    if not name.startswith("--"):
        typed = _as_typed(name, arguments)
        written, _, _ = typed.partition("=")
        if name == "-=" and command.option(f"-{written[-1]}"):  # `-q=1`
            return _misused_option(command, f"-{written[-1]}")
        if typed.startswith(name):
            name = typed if name == "-=" else written
    hint = _hint_to_write_it_later(command, name, arguments) or _similar_option(command, name) or _help_hint(command)
    return _error(command, f"unknown option {in_backticks(name)} of `{command.path}`", hint)


def _as_typed(name: str, arguments: Sequence[str]) -> str:
    """Return the argument that an option of one letter comes from: typer reads `-depth` as `-d -e -p -t -h`."""
    short = (each for each in arguments if each.startswith("-") and not each.startswith("--"))
    return next((each for each in short if name[1:] in each[1:]), name)


def _hint_to_write_it_later(program: Command, name: str, arguments: Sequence[str]) -> str:
    """Return a hint if an option before the command is one of the command: `envsync -f FILE plan`."""
    for command in program.subcommands:
        option = command.option(name)
        if option is not None and command.name in arguments:
            usage = f"{command.path} {name} {option.metavar}".strip()
            return f"write it after the command: `{usage}`"
    return ""


def _similar_option(command: Command, name: str) -> str:
    """Return a hint with the option that `name` is most likely a misspelling of; the dashes do not count.

    An option that turns something off (`--no-gc`) is only similar to one that begins in the same way.
    """
    word = name.lstrip("-")
    names = {each.lstrip("-"): each for option in command.options for each in option.names}
    negations = {option.names[-1].lstrip("-"): each for option in command.options for each in option.negations}
    if word.startswith("no") and (match := closest_match(word.removeprefix("no").lstrip("-"), negations)):
        return suggest(negations[match])
    match = closest_match(word, names)
    return suggest(names[match]) if match else ""


def _misused_option(command: Command, name: str) -> EnvsyncError:
    """Return the error for an option without the value that it requires, or with one that it does not take."""
    option = _option(command, name)
    if not option.metavar:
        return _error(command, f"`{name}` does not take a value", f"write `{name}`")
    hint = f"use {_one_of(option.choices)}" if option.choices else f"write `{name} {option.metavar}`"
    return _error(command, f"`{name}` requires a value", hint)


def _parameter(declared: TyperCommand, command: Command, found: Any) -> Argument | Option:
    """Return the parameter that typer means."""
    if isinstance(found, TyperArgument):
        return read_argument(declared, found)
    return _option(command, found.opts[0])


def _option(command: Command, name: str) -> Option:
    found = command.option(name)
    assert found is not None  # noqa: S101  # typer names an option of this command
    return found


def _invalid_value(command: Command, parameter: Argument | Option, value: str) -> EnvsyncError:
    """Return the error for a value that is not one of the choices, or not a number in the range."""
    match parameter:
        case Argument():
            what = f"{parameter.metavar} {in_backticks(shlex.quote(value))}"
            wanted = _one_of(parameter.choices) if parameter.choices else "a whole number"
        case Option():
            what = as_typed(parameter.names[-1], value)
            wanted = _one_of(parameter.choices) if parameter.choices else _number(parameter, value)
    return _error(command, f"{what}: must be {wanted}", did_you_mean(value, parameter.choices) or _help_hint(command))


def _number(option: Option, value: str) -> str:
    """Return what `value` must be, if it is not one of the numbers that an option takes."""
    with suppress(ValueError):
        number = int(value) if option.type == "integer" else float(value)
        if option.minimum is not None and number < option.minimum:
            return f"at least {option.minimum:g}"
        if option.maximum is not None and number > option.maximum:
            return f"at most {option.maximum:g}"
    return "a whole number" if option.type == "integer" else "a number"


def _one_of(names: Sequence[str]) -> str:
    """Return names as a choice: `a`, `b` or `c`."""
    *others, last = (f"`{each}`" for each in names)
    return f"{', '.join(others)} or {last}" if others else last


def _help_hint(command: Command) -> str:
    return f"run `{command.path} --help`"


def _error(command: Command, message: str, hint: str) -> EnvsyncError:
    """Return an error with the exit code of the command: `run` has its own."""
    return (RunError if command.name == "run" else UsageError)(message, hint=hint)
