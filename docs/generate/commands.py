"""The commands as data, read from the typer application's own declarations."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import get_args, get_origin

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from reconciler.cli.app import app

_TYPES: Mapping[object, str] = {str: "text", Path: "path", int: "integer", float: "number", bool: "flag"}
_METAVARS = {"text": "TEXT", "path": "PATH", "integer": "N", "number": "NUMBER", "choice": "VALUE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One positional argument; `several` says that it may be repeated."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option: `names` that turn it on or take a value, and `negations` that turn it off, the longest name last.

    `default` is empty for an option that has none, `metavar` for one that takes no value.
    """

    names: tuple[str, ...]
    negations: tuple[str, ...]
    metavar: str
    type: str
    help: str
    several: bool
    choices: tuple[str, ...]
    minimum: float | None
    default: str
    environment: tuple[str, ...]

    @property
    def usage(self) -> tuple[str, ...]:
        """Return every way to write it: `-f PATH`, `--file PATH`."""
        return tuple(f"{name} {self.metavar}".strip() for name in (*self.names, *self.negations))


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command: the first sentence of its help, the paragraphs after it, and what may be typed behind its name."""

    name: str
    summary: str
    paragraphs: tuple[str, ...]
    arguments: tuple[Argument, ...]
    options: tuple[Option, ...]

    @property
    def usage(self) -> str:
        """Return what is typed, as one line."""
        return " ".join(["envsync", self.name, "[OPTIONS]", *(each.usage for each in self.arguments)])


def read_commands() -> tuple[Command, ...]:
    """Return the commands in the order in which `envsync --help` lists them."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)  # noqa: S101  # an application with several commands is a group
    return tuple(_command(name, each) for name, each in group.commands.items() if isinstance(each, TyperCommand))


def _command(name: str, command: TyperCommand) -> Command:
    summary, *paragraphs = (command.help or "").split("\n\n")
    return Command(
        name=name,
        summary=summary,
        paragraphs=tuple(" ".join(each.split()) for each in paragraphs),
        arguments=tuple(_argument(each) for each in command.params if isinstance(each, TyperArgument)),
        options=(*(_option(each) for each in command.params if isinstance(each, TyperOption)), _HELP),
    )


def _argument(found: TyperArgument) -> Argument:
    value = _value(found)
    return Argument(
        metavar=(found.metavar or found.name.upper()).strip("[]"),
        type=_type(value),
        help=found.help or "",
        required=found.required,
        several=found.nargs == -1,
        choices=_choices(value),
        default=_default(found.default, found.show_default),
    )


def _option(found: TyperOption) -> Option:
    value = _value(found)
    flag = found.is_flag or found.count
    return Option(
        names=tuple(sorted(found.opts, key=len)),
        negations=tuple(found.secondary_opts),
        metavar="" if flag else found.metavar or _METAVARS[_type(value)],
        type="count" if found.count else _type(value),
        help=found.help or "",
        several=found.multiple,
        choices=_choices(value),
        minimum=None if flag else found.min,
        default=_flag_default(found) if flag else _default(found.default, found.show_default),
        environment=(found.envvar,) if isinstance(found.envvar, str) else tuple(found.envvar or ()),
    )


def _value(found: TyperArgument | TyperOption) -> object:
    """Return the type of one value: `str` for `list[str]`."""
    annotation: object = found.type_descriptor.annotation
    return get_args(annotation)[0] if get_origin(annotation) is list else annotation


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
    if isinstance(default, Enum):
        return str(default.value)
    return f"{default:g}" if isinstance(default, float) else str(default)


_HELP = Option(
    names=("-h", "--help"),
    negations=(),
    metavar="",
    type="flag",
    help="Show this message and exit.",
    several=False,
    choices=(),
    minimum=None,
    default="",
    environment=(),
)
