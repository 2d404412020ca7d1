"""Phrases that a native reader stumbles over are in no help text, message, hint, comment or document.

The rules, with good and bad lines, are in CONTRIBUTING.md. Add a phrase here when a review finds one.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reconciler.cli.app import app
from reconciler.exit_codes import BY_COMMAND
from tests.repository_files import ROOT, repository_files

PHRASES = {
    r"somebody|anybody's|nobody's": "name the person: the user, another user, the operator",
    r"whose hand|(?<!by-)\bhands?\b(?! over)|(?<!-)\bby hand\b": "changed manually, edited manually",
    r"\b(?:is|are|was|were) no (?!longer|more\b|less\b|need|reason|way)": "is not a ..., must be a ...",
    r"\btold\b|\btells of\b": "reported, shows, says",
    r"\bstands?\b(?! for)|\bstanding\b|\bstood\b": "is, exists, currently",
    r"\bleads? (?:to|out|into|back|elsewhere|nowhere)|\bled to\b": "points to, results in",
    r"\banother one\b|\bis another\b": "different, has changed",
    r"\ball well\b|\b(?:be|is|are|works?|goes?|ends?|ended) well\b(?! (?:kept|known))": "correctly, no problems found",
    r"\bno talk\b|\bin vain\b|\banew\b|\blest\b|\bthereof\b|\bwherein\b|\bnothing but\b": "use ordinary words",
    r"\bnobody\b": "no process, no user, no other ...",
    r"\bof which\b(?! (?:at|the|one|each))": "split the sentence",
    r"\bblot(?:s|ted)?\b": "redact",
    r"\bmend(?:s|ed|ing)?\b": "fix, repair",
    r"\bwhoever\b|\bwhosever\b|\bwhence\b|\bhence\b": "name the person or the thing",
    r"\bwants? (?:to be|it|credentials)\b": "requires",
    r"\bdesign, section\b|\bsection \d+ of the design\b": 'cite docs/design.md, "Heading"',
    r"colour|behaviour|neighbour|favour|honour|recognis|licence": "American spelling",
}
PATTERN = re.compile("|".join(f"(?P<p{number}>{phrase})" for number, phrase in enumerate(PHRASES)), re.IGNORECASE)
DOCUMENTS = sorted(path for path in repository_files() if path.suffix == ".md")
MODULES = sorted(
    path
    for path in repository_files("reconciler", "benchmarks", "docs", "tests")
    if path.suffix == ".py" and path != Path("tests/test_plain_english.py")  # it quotes what not to write
)
OTHERS = sorted(
    path
    for path in repository_files()
    if path.name in {"action.yml", "envs.yaml.example", ".pre-commit-hooks.yaml", "pyproject.toml"}
    or (
        path.suffix in {".yml", ".sh", ".service", ".timer", ".json"}
        and path.parts[0] in {"docs", ".github", "schemas"}
    )
)


# Names and values in a sentence are in backticks. A placeholder is a name if its expression ends with such a word.
NAMES = frozenset(
    {
        "command", "directory", "environment", "file", "key", "label", "module", "name", "names", "option", "package",
        "packages", "path", "pattern", "program", "project", "python", "request", "root", "scheme", "target", "url",
        "venv",
    }
)  # fmt: skip
NO_SENTENCES = {
    'f"module {__name__!r} has no attribute {name!r}"': "Python's own words for an unknown attribute",
    'f"import importlib; importlib.import_module({probe.module!r})"': "Python code",
}
# The columns of a plan and of a table name environments, packages and settings without backticks.
LISTINGS = frozenset({"render"})
MESSAGES = sorted(path for path in MODULES if path.parts[0] == "reconciler" and path.parts[1] not in LISTINGS)


def sentences_of_module(path: Path) -> Iterator[tuple[int, str]]:
    """Yield every string, comment and test name of a Python file, with its line."""
    source = (ROOT / path).read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in {tokenize.STRING, tokenize.COMMENT} or token.type == getattr(tokenize, "FSTRING_MIDDLE", -1):
            yield token.start[0], token.string
        elif token.type == tokenize.NAME and token.string.startswith("test_"):
            yield token.start[0], token.string.replace("_", " ")


def found_in(sentences: Iterator[tuple[int, str]]) -> list[str]:
    """Return a line for each phrase: where, what, and what to write instead."""
    advice = list(PHRASES.values())
    found = []
    for line, text in sentences:
        for match in PATTERN.finditer(text):
            number = int((match.lastgroup or "p0")[1:])
            at = line + text.count("\n", 0, match.start())
            found.append(f"{at}: `{match.group()}`: write: {advice[number]}")
    return found


def quoted_otherwise(source: str) -> list[str]:
    """Return a line for each placeholder in an f-string that quotes a name or a value, but not with backticks."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr) and (text := ast.get_source_segment(source, node)) not in NO_SENTENCES:
            parts = [each.value if isinstance(each, ast.Constant) else each for each in node.values]
            for number, part in enumerate(parts):
                before = "".join(each if isinstance(each, str) else "x" for each in parts[:number])
                after = "".join(each if isinstance(each, str) else "x" for each in parts[number + 1 :])
                if isinstance(part, ast.FormattedValue) and (advice := _advice(part, before, after)):
                    found.append(f"{node.lineno}: `{text}`: {advice}")
    return found


def _advice(part: ast.FormattedValue, before: str, after: str) -> str:
    """Return what is wrong with a placeholder between these texts; empty if it is in backticks or needs none."""
    shown = ast.unparse(part.value)
    in_sentence = len(re.findall(r"(?<!\S)[a-z]{2,}(?![\w/-])", before + after)) > 1
    location = re.fullmatch(r"[\w.]*", before) is not None and re.match(r"[\w:.]*: ", after) is not None
    if part.conversion == ord("r") or shown.startswith("repr("):
        return f"write: `in_backticks({shown.removeprefix('repr(').removesuffix(')')})`"
    if not in_sentence or before.count("`") % 2 or location:
        return ""
    if before.endswith(("'", '"')) and after.startswith(before[-1]):
        return f"`{shown}` is in quotation marks: put it in backticks"
    if joined := re.fullmatch(r"', '\.join\((?P<list>.*)\)", shown):
        return f"write: `list_in_backticks({joined['list']})`"
    return f"put `{shown}` in backticks" if _last_word(part.value) in NAMES else ""


def _last_word(expression: ast.expr) -> str:
    """Return the word that says what an expression is: `name` for `name`, `each.name`, `each["name"]`, `str(name)`."""
    match expression:
        case ast.Name(id=word) | ast.Attribute(attr=word) | ast.Subscript(slice=ast.Constant(value=str(word))):
            return word
        case ast.Call(func=ast.Name(id="str"), args=[inner]):
            return _last_word(inner)
        case _:
            return ""


@pytest.mark.parametrize("path", MESSAGES, ids=str)
def test_names_and_values_in_a_message_are_in_backticks(path: Path) -> None:
    found = quoted_otherwise((ROOT / path).read_text(encoding="utf-8"))
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("source", "problems"),
    [
        ("f'no environment named {name!r}'", 1),
        ("f'no environment named {repr(name)}'", 1),
        ("f\"no environment named '{asked}'\"", 1),
        ("f'no environment named \"{asked}\"'", 1),
        ("f'no environment named {name}'", 1),
        ("f'{each.path} could not be read'", 1),
        ("f'{str(each.path)} could not be read: {error}'", 1),
        ("f'choose from {\", \".join(known)}'", 1),
        ("f'{package[\"name\"]} has no wheel'", 1),
        ("f'`{first.name}` depends on {second.name}'", 1),
        ("f'no environment named `{name}`'", 0),
        ("f'no environment named {in_backticks(name)}'", 0),
        ("f'{path}:{line}: could not be read'", 0),
        ("f'environments.{name}: could not be read'", 0),
        ("f'quote it: `\"{text}\"`'", 0),
        ("f'run `envsync lock {name}` again'", 0),
        ("f'{count} files'", 0),
        ("f'{root}/{name}'", 0),
    ],
)
def test_every_way_to_quote_is_found(source: str, problems: int) -> None:
    assert len(quoted_otherwise(source)) == problems


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_has_no_odd_phrase(path: Path) -> None:
    found = found_in(sentences_of_module(path))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", [*DOCUMENTS, *OTHERS], ids=str)
def test_a_document_has_no_odd_phrase(path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.name == "CONTRIBUTING.md":  # the rules quote what not to write
        text = re.sub(r"^\|.*\|$", "", text, flags=re.MULTILINE)
    found = found_in(iter([(1, text)]))
    assert not found, "\n".join(found)


def test_help_has_no_odd_phrase() -> None:
    runner = CliRunner()
    assert len(BY_COMMAND) >= 16
    for command in ((), *((name,) for name in BY_COMMAND)):
        shown = runner.invoke(app, [*command, "--help"], prog_name="envsync")
        assert shown.exit_code == 0, shown.output
        assert found_in(iter([(1, shown.output)])) == [], command


def test_every_phrase_is_found_where_it_is() -> None:
    """So that no pattern is misspelt: each finds its first example."""
    examples = (
        "somebody's", "by hand", "is no list", "was told", "as it stands", "it leads to", "another one", "all is well",
        "in vain", "nobody", "files of which some", "blotted out", "mend it", "whoever made it",
        "wants credentials", "design, section 3", "in colour",
    )  # fmt: skip
    for number, example in enumerate(examples):
        match = PATTERN.search(example)
        assert match is not None, example
        assert match.lastgroup == f"p{number}", example
    assert len(examples) == len(PHRASES)
