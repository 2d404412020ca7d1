"""Commands as data, read from their declarations: every kind of argument and option, and how each is written."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.core import TyperCommand
from typer.main import get_command

from reconciler.cli.command_model import HELP, Argument, Command, Option, read_command


class Level(StrEnum):
    LOW = "low"
    HIGH = "high"


def declared(
    names: Annotated[list[str] | None, typer.Argument(help="Names.", show_default="all of them")] = None,
    file: Annotated[Path, typer.Option("--file", "-f", metavar="FILE", envvar="A_FILE", help="A file.")] = Path("x"),
    several: Annotated[list[str] | None, typer.Option(envvar=["ONE", "TWO"], help="More.")] = None,
    level: Annotated[Level, typer.Option(help="A level.")] = Level.HIGH,
    seconds: Annotated[float, typer.Option(min=0.5, max=9, help="A time.")] = 3.0,
    number: Annotated[int | None, typer.Option(min=1, help="A number.")] = None,
    collect: Annotated[bool, typer.Option("--gc/--no-gc", help="Collect.")] = True,
    keep: Annotated[bool, typer.Option("-k/--drop", help="Keep.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Yes.")] = False,
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Say more.")] = 0,
) -> None:
    """Do something with names
    and files.

    It has a second
    paragraph.

    And a third one.
    """


def test_a_command_is_read_with_all_kinds_of_parameters() -> None:
    app = typer.Typer(add_completion=False)
    app.command("do")(declared)
    command = get_command(app)
    assert isinstance(command, TyperCommand)
    assert read_command(command) == Command(
        name="do",
        summary="Do something with names and files.",
        paragraphs=("It has a second paragraph.", "And a third one."),
        arguments=(
            Argument(
                metavar="NAMES",
                type="text",
                help="Names.",
                required=False,
                several=True,
                choices=(),
                default="all of them",
            ),
        ),
        options=(
            Option(
                names=("-f", "--file"),
                metavar="FILE",
                type="path",
                help="A file.",
                default="x",
                environment=("A_FILE",),
            ),
            Option(
                names=("--several",),
                metavar="SEVERAL",
                type="text",
                help="More.",
                several=True,
                environment=("ONE", "TWO"),
            ),
            Option(
                names=("--level",),
                metavar="LEVEL",
                type="choice",
                help="A level.",
                choices=("low", "high"),
                default="high",
            ),
            Option(
                names=("--seconds",),
                metavar="SECONDS",
                type="number",
                help="A time.",
                minimum=0.5,
                maximum=9,
                default="3",
            ),
            Option(names=("--number",), metavar="NUMBER", type="integer", help="A number.", minimum=1),
            Option(names=("--gc",), negations=("--no-gc",), help="Collect.", default="--gc"),
            Option(names=("-k",), negations=("--drop",), help="Keep.", default="--drop"),
            Option(names=("-y", "--yes"), help="Yes."),
            Option(names=("-v", "--verbose"), type="count", help="Say more."),
            HELP,
        ),
        subcommands=(),
    )


@pytest.mark.parametrize(
    ("metavar", "required", "several", "usage", "term"),
    [
        ("NAME", True, False, "NAME", "NAME"),
        ("NAME", False, False, "[NAME]", "[NAME]"),
        ("NAME", True, True, "NAME...", "NAME..."),
        ("NAME", False, True, "[NAME]...", "[NAME]..."),
        ("-- COMMAND [ARG]...", True, True, "-- COMMAND [ARG]...", "COMMAND [ARG]..."),
    ],
)
def test_an_argument_is_written_as_it_is_typed(
    metavar: str, required: bool, several: bool, usage: str, term: str
) -> None:
    argument = Argument(
        metavar=metavar, type="text", help="", required=required, several=several, choices=(), default=""
    )
    assert (argument.usage, argument.term) == (usage, term)


def test_an_option_is_written_in_every_way_it_can_be_typed() -> None:
    with_value = Option(names=("-f", "--file"), metavar="FILE", help="")
    assert (with_value.usage, with_value.term) == (("-f FILE", "--file FILE"), "-f, --file FILE")
    flag = Option(names=("--gc",), negations=("--no-gc",), help="")
    assert (flag.usage, flag.term) == (("--gc", "--no-gc"), "--gc / --no-gc")
    command = Command(name="do", summary="", paragraphs=(), arguments=(), options=(with_value, flag), subcommands=())
    program = Command(name="", summary="", paragraphs=(), arguments=(), options=(), subcommands=(command,))
    assert (command.usage, program.usage) == ("envsync do [OPTIONS]", "envsync [OPTIONS] COMMAND [ARG]...")
    assert [command.option(each) for each in ("-f", "--file", "--gc", "--no-gc", "--no")] == [
        with_value,
        with_value,
        flag,
        flag,
        None,
    ]
