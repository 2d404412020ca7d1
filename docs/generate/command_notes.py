"""What people wrote about each command: examples and related pages, in `docs/generate/commands.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from docs.generate.markdown import title_of

_NOTES = Path(__file__).with_name("commands.yaml")
_COMMANDS = _NOTES.parent.parent / "commands"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One command line, and in a sentence what it is for."""

    shows: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandNotes:
    """The examples of a command, its related pages (title, and link from the command's page), and exit code notes."""

    examples: tuple[Example, ...]
    related: tuple[tuple[str, str], ...]
    exit_codes: Mapping[int, str]


@cache
def read_notes() -> dict[str, CommandNotes]:
    """Return the notes of every command by its name."""
    document = yaml.safe_load(_NOTES.read_text(encoding="utf-8"))
    return {name: _notes(each) for name, each in document.items()}


def _notes(written: dict[str, Any]) -> CommandNotes:
    return CommandNotes(
        examples=tuple(Example(**each) for each in written["examples"]),
        related=tuple(_related(each) for each in written["related"]),
        exit_codes=written.get("exit_codes", {}),
    )


def _related(name: str) -> tuple[str, str]:
    """Return the title and link of a command (`plan`) or of a page (`ci.md`, `ci.md#approve`) in `docs`."""
    if ".md" not in name:
        return f"`envsync {name}`", f"{name}.md"
    file, _, anchor = name.partition("#")
    page = (_COMMANDS.parent / file).read_text(encoding="utf-8")
    title = title_of(page).partition(":")[0] if anchor else title_of(page)
    return (f"{title}: {title_of(page, anchor)}" if anchor else title), f"../{name}"
