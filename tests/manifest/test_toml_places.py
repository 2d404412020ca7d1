"""The places of keys and list items in TOML: each key that `tomllib` finds has one, and the text there is its name."""

import tomllib
from typing import Any

import pytest

from reconciler.manifest.source_text import KeyPath
from reconciler.manifest.toml_places import toml_places
from tests.repository_files import ROOT

TEXT = """\
# [not.a.table]
title = "a = 1 [x]"   # = "b"
"quoted key" . 'other' = '''
[fake]
key = 1'''
long = \"\"\"a\\"\"\"
[fake] b = 2 \"\"\"
[tool.uv.sources]
six = { path = "../six", "marker" = 'sys_platform == "linux"', list = [1, [2,
  { a = 1 }], # ]
  3] }
dotted.git = "x"
[tool.uv.sources.table]
url = 1979-05-27T07:32:00Z
[[tool.uv.index]]
name = "one"
[[tool.uv.index]]
name = "two"
[[tool.uv.index.inner]]
deep = true
[tool.uv.index.inner.more]
x = 1
"""


def paths(value: Any, path: KeyPath = ()) -> list[KeyPath]:
    """Return the key path of every key and list item of a document."""
    found = [path] if path else []
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        found += paths(each, (*path, key))
    return found


FILES = [ROOT / "pyproject.toml", *sorted((ROOT / "tests" / "cases" / "manifest").rglob("pyproject.toml"))]


@pytest.mark.parametrize("text", [TEXT, TEXT.replace("\n", "\r\n"), *(each.read_text() for each in FILES)])
def test_every_key_has_a_place_where_its_name_is(text: str) -> None:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:  # a case of an invalid file
        toml_places(text)
        return
    found = toml_places(text)
    lines = text.split("\n")
    for path in paths(document):
        line, column, width = found[path]
        written = lines[line - 1][column - 1 : column - 1 + width]
        key = [each for each in path if isinstance(each, str)][-1]
        assert isinstance(path[-1], int) or key in written, (path, written)
    assert set(found) == set(paths(document))


@pytest.mark.parametrize("text", ["= 1", "a", "[", "[[a", "a = [", "a = {b = ", '"a', 'a = "', "]", "a.b.", "\x00"])
def test_a_text_that_is_not_toml_ends_the_scan(text: str) -> None:
    toml_places(text)


def test_places_count_characters() -> None:
    assert toml_places('"é" = 1\n"ü" = [ "a", "bcd" ]\n')["ü", 1] == (2, 14, 5)
