"""The generated pages are what the code says: none is out of date, and no key, command, option or name is missing."""

import pytest
from typer.core import TyperGroup, TyperOption
from typer.main import get_command

import reconciler
from docs.generate.command_notes import read_notes
from docs.generate.markdown import COMMAND
from docs.generate.pages import generated_pages, surplus_pages
from docs.generate.public_api import public_names
from reconciler.cli.app import app
from reconciler.exit_codes import BY_COMMAND
from tests.docs.pages import DOCS, TOP, read_page, section

GROUP = get_command(app)
assert isinstance(GROUP, TyperGroup)
COMMANDS = GROUP.commands


def test_no_generated_page_is_out_of_date() -> None:
    stale = [
        path.relative_to(TOP).as_posix()
        for path, text in generated_pages()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    assert stale == [], f"run `{COMMAND}`"
    assert surplus_pages() == [], f"run `{COMMAND}`"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_page_with_every_option(name: str) -> None:
    page = DOCS / "commands" / f"{name}.md"
    text = page.read_text(encoding="utf-8")
    for parameter in COMMANDS[name].params:
        for written in (*parameter.opts, *parameter.secondary_opts) if isinstance(parameter, TyperOption) else ():
            assert f"`{written}`" in text or f"`{written} " in text, written
        assert getattr(parameter, "help", None), f"{name}: {parameter.name} has no help text"
    assert f"({name}.md)" in (DOCS / "commands" / "index.md").read_text(encoding="utf-8")
    for code in BY_COMMAND[name]:
        assert f"| {code} |" in section(page, "Exit codes")


def test_every_command_has_examples_and_exit_codes_and_nothing_else_has() -> None:
    assert list(read_notes()) == list(COMMANDS), "docs/generate/commands.yaml: the commands in the order of --help"
    assert set(BY_COMMAND) == set(COMMANDS)
    for name, notes in read_notes().items():
        assert notes.examples, name
        assert notes.related, name
        assert set(notes.exit_codes) <= set(BY_COMMAND[name])


def test_every_public_name_is_described() -> None:
    headings = read_page(DOCS / "python.md").headings
    names = public_names()
    for each in names:
        assert f"`{each.name}`" in headings
        assert each.paragraphs or each.kind == "value", f"{each.name} has no docstring"
    assert {each.name for each in names} == set(reconciler.__all__)
