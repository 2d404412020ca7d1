"""A command's help page as text, in the layout that uv, git and kubectl have in common."""

import re
import textwrap
from collections.abc import Iterator, Sequence

from reconciler.cli.command_model import PROGRAM, Argument, Command, Option

_INDENT = "  "
_NO_SHORT_NAME = " " * len("-x, ")  # so that the long names of all options are below each other
_WIDEST_TERM = 30
_GAP = 2
# A name with its arguments, or a default, is easier to read on one line. textwrap does not break at this space.
_TOGETHER = re.compile(r"`[^`]*`|\[[^\[\]]*\]")
_UNBREAKABLE_SPACE = "\N{NO-BREAK SPACE}"


def format_help(command: Command, *, width: int) -> str:
    """Return the help page of a command or of the program, in lines of at most `width` columns (at least 50)."""
    return "\n\n".join(_parts(command, width)) + "\n"


def _parts(command: Command, width: int) -> Iterator[str]:
    yield _usage(command, width)
    for paragraph in (command.summary, *command.paragraphs):
        yield _wrapped(paragraph, width, indent=_INDENT)
    if command.arguments:
        yield _table("Arguments", [(each.term, _sentence(each)) for each in command.arguments], width)
    yield _table("Options", [(_option_term(each), _sentence(each)) for each in command.options], width)
    if command.subcommands:
        yield _table("Commands", [(each.name, each.summary) for each in command.subcommands], width)
        yield _wrapped(f"Run `{PROGRAM} COMMAND --help` for the options of a command.", width)


def _usage(command: Command, width: int) -> str:
    prefix = f"Usage: {command.path} "
    usage = f"Usage: {command.usage}"
    return _wrapped(usage, width, later=" " * len(prefix))


def _option_term(option: Option) -> str:
    return option.term if len(option.names[0]) == len("-x") else f"{_NO_SHORT_NAME}{option.term}"


def _sentence(described: Argument | Option) -> str:
    """Return the help of a parameter, with its facts in brackets."""
    return " ".join([described.help, *(f"[{fact}]" for fact in _facts(described))])


def _facts(described: Argument | Option) -> Iterator[str]:
    if described.choices:
        yield ", ".join(described.choices)
    if isinstance(described, Option):
        if described.several:
            yield "repeatable"
        if described.minimum:  # no one expects less than 0
            yield f"minimum: {described.minimum:g}"
        for variable in described.environment:
            yield f"env: {variable}"
    if described.default:
        yield f"default: {described.default}"


def _table(heading: str, rows: Sequence[tuple[str, str]], width: int) -> str:
    """Return a heading and its rows: a term and, in a second column, what it means.

    A term that is wider than the column has a line of its own.
    """
    widest = min(_WIDEST_TERM, width * 2 // 5)
    column = max((len(term) for term, _ in rows if len(term) <= widest), default=widest)
    margin = " " * (len(_INDENT) + column + _GAP)
    lines = [f"{heading}:"]
    for term, meaning in rows:
        if len(term) <= column:
            lines.append(_wrapped(meaning, width, indent=f"{_INDENT}{term}".ljust(len(margin)), later=margin))
        else:
            lines += [f"{_INDENT}{term}", _wrapped(meaning, width, indent=margin)]
    return "\n".join(lines)


def _wrapped(text: str, width: int, *, indent: str = "", later: str | None = None) -> str:
    """Return `text` in lines of at most `width` columns, the first behind `indent`, the others behind `later`."""
    margin = indent if later is None else later

    def together(found: re.Match[str]) -> str:
        return found[0].replace(" ", _UNBREAKABLE_SPACE) if len(found[0]) <= width - len(margin) else found[0]

    lines = textwrap.wrap(
        _TOGETHER.sub(together, text),
        width,
        initial_indent=indent,
        subsequent_indent=margin,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace(_UNBREAKABLE_SPACE, " ")
