"""Phrases that a native reader stumbles over are in no help text, message, hint, comment or document.

The rules, with good and bad lines, are in CONTRIBUTING.md. Add a phrase here when a review finds one.
"""

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
        "wants credentials", "design, section 3",
    )  # fmt: skip
    for number, example in enumerate(examples):
        match = PATTERN.search(example)
        assert match is not None, example
        assert match.lastgroup == f"p{number}", example
    assert len(examples) == len(PHRASES)
