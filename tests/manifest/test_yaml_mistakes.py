"""The hints for text that is not valid YAML, each with the place of the mistake and the message of libyaml."""

import pytest

from reconciler.errors import ManifestError
from reconciler.manifest.text_file import decode_text
from reconciler.manifest.yaml_document import read_document

WEB = "version: 1\nproject: acme\nenvironments:\n  web:\n"
MISTAKES = [
    (
        WEB + "\tpython: 3.12\n",
        (5, 1),
        "found character that cannot start any token",
        "indent with spaces, not with tabs",
    ),
    (
        WEB + "    packages:\n    -\tsix\n    - [\n",
        (6, 6),
        "found character that cannot start any token",
        "indent with spaces, not with tabs",
    ),
    (
        WEB + "    python: \t@x\n",
        (5, 14),
        "found character that cannot start any token",
        "indent with spaces, not with tabs",
    ),
    (
        WEB + "    python: @x\n",
        (5, 13),
        "found character that cannot start any token",
        "quote the value that starts with `@`",
    ),
    (
        WEB + "    python: %x\n",
        (5, 13),
        "found character that cannot start any token",
        "quote the value that starts with `%`",
    ),
    (
        WEB + "    packages: [`six`]\n",
        (5, 16),
        "found character that cannot start any token",
        "quote the value that starts with `` ` ``",
    ),
    (
        WEB + "    packages: [uvicorn[standard]>=0.30, six]\n",
        (5, 33),
        "found character that cannot start any token",
        'quote it: `"uvicorn[standard]>=0.30"`',
    ),
    (
        WEB + "    packages: [django=={django}.*]\n",
        (5, 24),
        "did not find expected ',' or ']'",
        'quote it: `"django=={django}.*"`',
    ),
    (
        WEB + '    packages: ["uvicorn[standard]", six[a]]\n',
        (5, 40),
        "did not find expected ',' or ']'",
        'quote it: `"six[a]"`',
    ),
    (
        WEB + "    ignore: [*.pyc]\n",
        (5, 15),
        "did not find expected alphabetic or numeric character",
        'quote it: `"*.pyc"`',
    ),
    (WEB + "    ignore: [*]\n", (5, 15), "did not find expected alphabetic or numeric character", 'quote it: `"*"`'),
    (WEB + "    packages: [&]\n", (5, 17), "did not find expected alphabetic or numeric character", 'quote it: `"&"`'),
    (
        WEB + "    packages: - six - django\n",
        (5, 15),
        "block sequence entries are not allowed in this context",
        "did you mean `packages: [six, django]`?",
    ),
    (
        WEB + "    - packages: - six\n",
        (5, 17),
        "block sequence entries are not allowed in this context",
        "put the value in quotes",
    ),
    (
        WEB + '    project: {path: "C:\\apps\\web"}\n',
        (5, 29),
        "found unknown escape character",
        'did you mean `"C:/apps/web"`?',
    ),
    (
        WEB + '    description: "one \\w\n      two"\n',
        (5, 23),
        "found unknown escape character",
        "write `/` instead of `\\`, or use single quotes",
    ),
    (WEB + '    description: "a\\x1"\n', (5, 22), "did not find expected hexdecimal number", "did you mean `a/x1`?"),
    (
        WEB + "    packages: [six\n    python: 3.12\n",
        (6, 11),
        "did not find expected ',' or ']'",
        "close it on line 5: `packages: [six]`",
    ),
    (
        'version: 1\nproject: acme\nenvironments:\n  web: {python: "3.12"\n  api: {python: "3.12"}\n',
        (5, 3),
        "did not find expected ',' or '}'",
        'close it on line 4: `web: {python: "3.12"}`',
    ),
    (
        WEB + '    python: "3.12\n    packages: [six]\n',
        (7, 1),
        "found unexpected end of stream",
        'close it on line 5: `python: "3.12"`',
    ),
    (
        WEB + "    packages: [six, 'a # b\n",
        (6, 1),
        "found unexpected end of stream",
        "close it on line 5: `packages: [six, 'a']`",
    ),
    (
        WEB + "    packages: [[six], {a: b # note\n    python: x\n",
        (6, 5),
        "did not find expected ',' or '}'",
        "close it on line 5, where brackets or quotes are open",
    ),
    (
        WEB + '    python:"3.12"\n    packages: [six]\n',
        (6, 13),
        "mapping values are not allowed in this context",
        "write a space after the colon on line 5",
    ),
    (
        WEB + "    python:3.12\n    packages: [six]\n",
        (6, 13),
        "mapping values are not allowed in this context",
        "write a space after the colon on line 5",
    ),
    (
        WEB + "    python://x\n    packages: [six]\n",
        (6, 13),
        "mapping values are not allowed in this context",
        "put the value in quotes",
    ),
    (
        WEB + '    python: "3.12"\n   packages: [six]\n',
        (6, 4),
        "did not find expected key",
        "indent it by 4 spaces, like line 5",
    ),
    (
        WEB + '    python: "3.12"\n      packages: [six]\n',
        (6, 7),
        "did not find expected key",
        "indent it by 4 spaces, like line 5",
    ),
    (WEB + "    env: {}\n   - six\n", (6, 4), "did not find expected key", "indent it by 4 spaces, like line 5"),
    (
        WEB + "    description: web: the site\n",
        (5, 21),
        "mapping values are not allowed in this context",
        'quote it: `"web: the site"`',
    ),
    (
        WEB + "    packages:\n    - six: 1: 2\n",
        (6, 13),
        "mapping values are not allowed in this context",
        "put the value in quotes",
    ),
    (WEB + '    description: "web" site\n', (5, 24), "did not find expected key", ""),
    (
        "# x\n  version: 1\n project: acme\n",
        (3, 2),
        "did not find expected <document start>",
        "indent it by 2 spaces, like line 2",
    ),
    (WEB + "    ignore: *\n", (5, 14), "did not find expected alphabetic or numeric character", 'quote it: `"*"`'),
    (WEB + "    description: |x\n      a\n", (5, 19), "did not find expected comment or line break", ""),
    (
        WEB + "    env: {A: b\n    python: x\n",
        (6, 11),
        "did not find expected ',' or '}'",
        "close it on line 5, where brackets or quotes are open",
    ),
    (
        WEB + '    env:\n      A: "b\n    python: x\n',
        (8, 1),
        "found unexpected end of stream",
        "close it on line 6, where brackets or quotes are open",
    ),
    (
        WEB + "    env:\n      A:b\n      C: d\n",
        (7, 8),
        "mapping values are not allowed in this context",
        "write a space after the colon on line 6",
    ),
    (
        WEB + "    env:\n      A: b\n     C: d\n",
        (7, 6),
        "did not find expected key",
        "indent it by 6 spaces, like line 6",
    ),
    (
        WEB + "    env:\n      A: @b\n",
        (6, 10),
        "found character that cannot start any token",
        "put the value in quotes",
    ),
    (
        "version: 1\nproject: acme\nenvironments: {\n  web: {python: x,\n    env: {A: b}\n",
        (6, 1),
        "did not find expected ',' or '}'",
        "close it on line 4: `web: {python: x,}`",
    ),
    (
        WEB + "    env: # x\n      A: b\n    labels: # y\n      a: b: c\n",
        (8, 11),
        "mapping values are not allowed in this context",
        "put the value in quotes",
    ),
    ("a: b: c\n", (1, 5), "mapping values are not allowed in this context", "put the value in quotes"),
    (
        WEB + "    python: x\n# y\n\n     packages: [six]\n",
        (8, 6),
        "did not find expected key",
        "indent it by 4 spaces, like line 5",
    ),
    (
        WEB + "    packages:\n      - six\n     - django\n",
        (7, 6),
        "did not find expected key",
        "indent it by 6 spaces, like line 6",
    ),
    (WEB + "    python: x\n   - [\n   }\n", (6, 4), "did not find expected key", "indent it by 4 spaces, like line 5"),
    (
        WEB + "    python: x\n        builds: y\n      extras: [a]\n",
        (6, 15),
        "mapping values are not allowed in this context",
        "put the value in quotes",
    ),
    (
        "a:\n  b: c\nd:\n      e: f\n    g: h\n",
        (5, 5),
        "did not find expected key",
        "indent it by 6 spaces, like line 4",
    ),
    (WEB + '    description: say "x": y\n', (5, 25), "mapping values are not allowed in this context", ""),
    (
        WEB + "    packages:\n    - a: b: c\n",
        (6, 11),
        "mapping values are not allowed in this context",
        "put the value in quotes",
    ),
]


def mistake(text: str) -> tuple[tuple[int, int], str, str]:
    """Return the place of the one problem of a text that is not valid YAML, its message and its hint."""
    with pytest.raises(ManifestError) as caught:
        read_document("envs.yaml", decode_text(text.encode(), any_unicode=False))
    [problem] = caught.value.problems
    assert problem.place
    return (problem.place.line, problem.place.column), problem.message, problem.hint or ""


@pytest.mark.parametrize(("text", "place", "message", "hint"), MISTAKES)
def test_the_hint_is_for_the_mistake(text: str, place: tuple[int, int], message: str, hint: str) -> None:
    assert mistake(text) == (place, f"not valid YAML: {message}", hint)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (WEB + "    python: [" + "x" * 987, "close it on line 5: `python: [" + "x" * 987 + "]`"),
        (WEB + "    python: [" + "x" * 988, ""),
        (WEB + "    description: " + "x" * 983 + "\n   extras: []", "indent it by 4 spaces, like line 5"),
        (WEB + "    description: " + "x" * 984 + "\n   extras: []", ""),
    ],
    ids=["1,000 characters", "one more", "1,000 in the line before", "one more in the line before"],
)
def test_a_line_of_more_than_1000_characters_has_no_hint(text: str, hint: str) -> None:
    assert mistake(text)[2] == hint


def test_text_that_is_nested_too_deeply_for_libyaml_is_nested_too_deeply() -> None:
    """libyaml 0.2.6 and later have a limit of their own, and reach it before they report the first level."""
    place, message, hint = mistake("a: " + "[" * 2000)
    assert (message, hint) == ("nested deeper than 32 levels", "")
    assert place in {(1, 1003), (1, 35)}
