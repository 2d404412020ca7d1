"""The commands as data, read from typer's declarations: for help pages, usage errors and `docs/commands`."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

PROGRAM = "envsync"
_TYPES: Mapping[object, str] = {str: "text", Path: "path", int: "integer", float: "number", bool: "flag"}
_SEPARATOR = "-- "  # before the arguments of `run`, in their metavar


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One positional argument; `several` says that it may be repeated.

    `metavar` is its name in upper case, and how to write it if that takes more than a name (`-- COMMAND [ARG]...`).
    """

    metavar: str
    type: str
    help: str
    required: bool
    several: bool
    choices: tuple[str, ...]
    default: str

    @property
    def usage(self) -> str:
        """Return it as a line of usage shows it: `[NAME]...`."""
        text = self.metavar if self.required else f"[{self.metavar}]"
        return f"{text}..." if self.several and not text.endswith("...") else text

    @property
    def term(self) -> str:
        """Return it as a list of arguments shows it, without the `--` before it."""
        return self.usage.removeprefix(_SEPARATOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option: `names` that turn it on or take a value, and `negations` that turn it off, the longest name last.

    `default` is empty for an option that has none, `metavar` for one that takes no value.
    """

    names: tuple[str, ...]
    negations: tuple[str, ...] = ()
    metavar: str = ""
    type: str = "flag"
    help: str
    several: bool = False
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    default: str = ""
    environment: tuple[str, ...] = ()

    @property
    def usage(self) -> tuple[str, ...]:
        """Return every way to write it: `-f FILE`, `--file FILE`."""
        return tuple(f"{name} {self.metavar}".strip() for name in (*self.names, *self.negations))

    @property
    def term(self) -> str:
        """Return it as a list of options shows it: `-f, --file FILE`, or `--gc / --no-gc`."""
        return f"{' / '.join((', '.join(self.names), *self.negations))} {self.metavar}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command: the first sentence of its help, the paragraphs after it, and what may be typed behind its name.

    The program itself has an empty `name`, and its commands as `subcommands`.
    """

    name: str
    summary: str
    paragraphs: tuple[str, ...]
    arguments: tuple[Argument, ...]
    options: tuple[Option, ...]
    subcommands: tuple["Command", ...]

    @property
    def path(self) -> str:
        """Return what starts it: `envsync plan`."""
        return f"{PROGRAM} {self.name}".strip()

    @property
    def usage(self) -> str:
        """Return what is typed, as one line."""
        behind = ("COMMAND", "[ARG]...") if self.subcommands else (each.usage for each in self.arguments)
        return " ".join([self.path, "[OPTIONS]", *behind])

    def option(self, name: str) -> Option | None:
        """Return the option that has a name (`-f`, `--file`, `--no-gc`), or None."""
        return next((each for each in self.options if name in (*each.names, *each.negations)), None)


HELP = Option(names=("-h", "--help"), help="Print this help and exit.")


def read_command(declared: TyperCommand | TyperGroup) -> Command:
    """Return a command, or the program with all its commands."""
    group = isinstance(declared, TyperGroup)
    summary, *paragraphs = (declared.help or "").split("\n\n")
    return Command(
        name="" if group else declared.name or "",
        summary=" ".join(summary.split()),
        paragraphs=tuple(" ".join(each.split()) for each in paragraphs),
        arguments=tuple(read_argument(declared, each) for each in declared.params if isinstance(each, TyperArgument)),
        options=(*(_option(declared, each) for each in declared.params if isinstance(each, TyperOption)), HELP),
        subcommands=tuple(_subcommands(declared)) if isinstance(declared, TyperGroup) else (),
    )


def _subcommands(group: TyperGroup) -> Iterator[Command]:
    for each in group.commands.values():
        if isinstance(each, TyperCommand):
            yield read_command(each)


def read_argument(command: TyperCommand | TyperGroup, found: TyperArgument) -> Argument:
    """Return an argument of a command."""
    value = _value(command, found.name)
    return Argument(
        metavar=found.metavar or found.name.upper(),
        type=_type(value),
        help=found.help or "",
        required=found.required,
        several=found.nargs == -1,
        choices=_choices(value),
        default=_default(found.default, found.show_default),
    )


def _option(command: TyperCommand | TyperGroup, found: TyperOption) -> Option:
    value = _value(command, found.name)
    flag = found.is_flag or found.count
    return Option(
        names=tuple(sorted(found.opts, key=len)),
        negations=tuple(found.secondary_opts),
        metavar="" if flag else found.metavar or found.name.upper(),
        type="count" if found.count else _type(value),
        help=found.help or "",
        several=found.multiple,
        choices=_choices(value),
        minimum=None if flag else found.min,
        maximum=found.max,
        default=_flag_default(found) if flag else _default(found.default, found.show_default),
        environment=(found.envvar,) if isinstance(found.envvar, str) else tuple(found.envvar or ()),
    )


def _value(command: TyperCommand | TyperGroup, name: str) -> object:
    """Return the type of one value of a parameter, from the function behind a command: `str` for `list[str] | None`."""
    assert command.callback is not None  # noqa: S101  # every command has a function
    annotation: object = inspect.signature(command.callback).parameters[name].annotation
    while parts := get_args(annotation):
        if get_origin(annotation) not in {Annotated, Union, UnionType, list}:
            break
        annotation = parts[0]
    return annotation


def _type(value: object) -> str:
    return "choice" if _choices(value) else _TYPES[value]


def _choices(value: object) -> tuple[str, ...]:
    if isinstance(value, type) and issubclass(value, Enum):
        return tuple(str(each.value) for each in value)
    return ()


def _flag_default(found: TyperOption) -> str:
    """Return the name that a flag with two names has by default; other flags are off."""
    if not found.secondary_opts:
        return ""
    return max(found.opts if found.default else found.secondary_opts, key=len)


def _default(default: object, shown: bool | str) -> str:
    """Return a default as people type it, empty for none; the declaration may say it in words."""
    if isinstance(shown, str):
        return shown
    if default is None:
        return ""
    return f"{default:g}" if isinstance(default, float) else str(default)
