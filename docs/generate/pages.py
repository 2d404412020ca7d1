"""Which pages are generated, wholly or in parts, and where they are written."""

from collections.abc import Iterator
from pathlib import Path

from docs.generate.command_page import command_index, command_page
from docs.generate.commands import read_commands
from docs.generate.manifest_page import manifest_reference
from docs.generate.markdown import replace_part
from docs.generate.public_api import public_names
from docs.generate.python_page import python_reference

DOCS = Path(__file__).parent.parent


def generated_pages() -> Iterator[tuple[Path, str]]:
    """Yield the path of every generated page and its text as it should be.

    Write each before the next is made: the commands' pages look up headings of the others.
    """
    yield DOCS / "manifest.md", _with_part("manifest.md", "reference", manifest_reference())
    yield DOCS / "python.md", _with_part("python.md", "reference", python_reference(public_names()))
    commands = read_commands()
    for command in commands:
        yield DOCS / "commands" / f"{command.name}.md", command_page(command)
    yield DOCS / "commands" / "index.md", command_index(commands)


def surplus_pages() -> list[Path]:
    """Return the pages in `docs/commands` that no command has any more."""
    kept = {"index", *(command.name for command in read_commands())}
    return [path for path in sorted((DOCS / "commands").glob("*.md")) if path.stem not in kept]


def write_pages() -> None:
    """Write the pages that differ, and delete those that no command has any more."""
    for path in surplus_pages():
        path.unlink()
    for path, text in generated_pages():
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _with_part(name: str, part: str, text: str) -> str:
    """Return a page written manually with its generated part replaced."""
    return replace_part((DOCS / name).read_text(encoding="utf-8"), part, text)
