"""No code reads our own sentences: a decision that depends on words changes when the words do.

A sentence is in a variable or an attribute with one of the names in `SENTENCES`. Whether there is one may decide (`if
each.hint`), what it says may not.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import reconciler

PACKAGE = Path(reconciler.__file__).parent
SENTENCES = frozenset({"message", "messages", "detail", "details", "hint", "hints", "sentence", "sentences"})
READING = frozenset(
    {"startswith", "endswith", "removeprefix", "removesuffix", "partition", "rpartition", "split", "rsplit", "find"}
    | {"rfind", "index", "rindex", "count", "replace", "match", "fullmatch", "search", "findall", "finditer", "sub"}
)
# The expressions that may, and why.
ALLOWED = {
    "manifest/requirement.py: message.replace(words, plain)": "the words are those of packaging",
    "render/finding_text.py: {each.detail for each in group if each.detail}": "a detail that all have is shown once",
    "snapshot/file.py: message.removeprefix('Value error, ')": "the words are those of pydantic",
}


def sentences_read(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions that compare a sentence, or call a method that looks into it."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=left, ops=ops, comparators=others):
                compares = any(isinstance(each, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for each in ops)
                if compares and any(mentions_sentence(each) for each in (left, *others)):
                    yield node
            case ast.Call(func=ast.Attribute(value=value, attr=attr), args=arguments) if attr in READING:
                if mentions_sentence(value) or any(mentions_sentence(each) for each in arguments):
                    yield node
            case ast.SetComp(elt=element) | ast.DictComp(key=element):
                if mentions_sentence(element):
                    yield node


def mentions_sentence(value: ast.AST) -> bool:
    """Return whether an expression is made from a sentence; the length of one is not."""
    match value:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in SENTENCES
        case ast.Call(func=ast.Name(id="len")):
            return False
        case _:
            return any(mentions_sentence(each) for each in ast.iter_child_nodes(value))


def test_no_sentence_is_parsed() -> None:
    found = {
        f"{path.relative_to(PACKAGE).as_posix()}: {ast.unparse(each)}"
        for path in PACKAGE.rglob("*.py")
        for each in sentences_read(ast.parse(path.read_text("utf-8")))
    }
    assert not found - ALLOWED.keys(), "decide by a code, not by words"
    assert not ALLOWED.keys() - found, "remove what is not needed any more"


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ("if each.message == other: pass", True),
        ("if not (failure.message in known): pass", True),
        ("change.message.endswith(', and ' + word)", True),
        ("error.message.rpartition(': ')[2]", True),
        ("re.match('no ', sanitize(each.detail))", True),
        ("hint.startswith('envsync ')", True),
        ("known = {each.message for each in reasons}", True),
        ("if each.hint: print(each.hint)", False),
        ("if len(issue.details) == 3: pass", False),
        ("if each.code == other.code: pass", False),
        ("text.endswith('.py')", False),
        ("f'{error.message}: {name}'", False),
    ],
)
def test_expressions_that_read_a_sentence_are_found(source: str, *, reads: bool) -> None:
    assert bool(list(sentences_read(ast.parse(source)))) is reads
