"""The examples on the commands' pages are command lines that envsync accepts."""

import shlex
from collections.abc import Iterator

import pytest
from typer import Context
from typer.core import TyperGroup
from typer.main import get_command

from docs.generate.command_notes import read_notes
from reconciler.cli.app import app

EXAMPLES = [(name, example.command) for name, notes in read_notes().items() for example in notes.examples]


def invocations(line: str) -> Iterator[list[str]]:
    """Yield the arguments of each `envsync` in a shell's command line."""
    words: list[str] = []
    for word in [*shlex.shlex(line, posix=True, punctuation_chars=True), ";"]:
        if word[0] in "|&;<>":
            if words[:1] == ["envsync"]:
                yield words[1:]
            words = []
        else:
            words.append(word)


@pytest.mark.parametrize(("name", "line"), EXAMPLES, ids=[line for _, line in EXAMPLES])
def test_an_example_parses(name: str, line: str) -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    found = list(invocations(line))
    assert name in [command for command, *_ in found]
    for command, *arguments in found:
        group.commands[command].make_context(command, arguments, parent=Context(group))


def test_invocations_are_taken_out_of_a_command_line() -> None:
    assert list(invocations("envsync plan --out p && envsync show p > x | cat")) == [
        ["plan", "--out", "p"],
        ["show", "p"],
    ]
