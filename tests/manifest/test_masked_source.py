"""The lines, values and key paths of a manifest, as errors show them: masked only where a secret may be."""

import pytest

from reconciler.manifest.masked_source import MaskedLine, SourceMask, mask_of
from reconciler.manifest.source_text import KeyPath
from reconciler.manifest.text_file import decode_text
from reconciler.manifest.yaml_document import read_document
from reconciler.redaction import REDACTED
from tests.manifest.marked_secrets import masked, without_marks

# Manifests in which marks enclose what is masked.
MARKED = {
    "environments": """# a comment
version: 1
project: acme
environments:
  web:
    python: "3.12" # a comment
    packages: [six, django]
    env:
      # «a comment»
      FIRST: «one» # «two»
      LIST: [«a», «b»]
      "QUOTED": «'three'»

      public: [FIRST]
    build_env: {SETTING: «x», from_env: [HOME], public: []} # «four»
    labels: {tier: front}
    description: one
      «two»
""",
    "commands": """environments:
  web:
    hooks: {on_failure: rollback, after_publish: [[«curl», «x»], {run: [«curl»], public: true}]}
    probes:
      - dependencies
      - dependancies
      - «pip»
      - import: six
      - run: [«curl», «-u», «x»]
        timeout: 10s
    health:
      run: [«curl», «"x"»]
      for: 10m
      zzz: «y»
    zzz: [{«a»: «b»}]
    extends: base
""",
    "texts of several lines": """environments:
  web:
    env:
      A: «"one»
        «two"»
      B: «|»
        «three: x»

        «four»
      C: «five»
        «six»
      D:
        «seven»
    python: three
      «point 12»
    description: >-
      eight
      nine
""",
    "anchors, tags and aliases": """environments:
  web: &web
    python: &three !!str 3.12
    env: «&e» {A: «!x 1», B: «&y 2», C: «*y»}
    packages: !list [six]
    build_env: «!m &n»
      A: «b»
  api: *web
  job: {env: «*e», <<: *web}
""",
    "texts in the place of an environment": """environments:
  web: «python»
  api: python:"3.12"
  job: «evn:x»
  old: «1»
  new: {<<: {env: {A: «b»}}}
templates: «text»
""",
    "keys that are not names": """environments:
  web:
    env: {«a b»: «c», A: «one»,«two», «"x y"»: «1», [«k»]: «v», {«m»: «n»}: «w», ? z : «y»}
    probes: [{«"curl http://x"»: «y»}, {run : [«a»]}]
    zzz: {«A»: «b»}
    ? [«python»]
    : «x»
""",
    "lists and mappings as keys": """environments:
  web:
    ? {«env»: {«A»: «b»}}
    : «python»
    ? [«env»]
    : {«A»: «b»}
    python: "3.12"
""",
    "keys of several lines": """environments:
  web:
    env:
      ? «"A»
        «B"»
      : «c»
      D: «e»
    python: {
      version: "3.12" }
    probes: [
      dependencies
    ]
    health: {
    }
    labels: {python:x: 1}
""",
    "after its first document": """environments:
  web: {env: {A: «b»}}
---
env: {C: «d»}
...
""",
}


def source_mask(text: str) -> SourceMask:
    return SourceMask(tuple(text.split("\n")))


def shown_lines(mask: SourceMask) -> list[str]:
    return [mask.line(number).text for number in range(1, len(mask.lines) + 1)]


@pytest.mark.parametrize("name", MARKED)
def test_lines_are_masked_where_a_secret_may_be_and_nowhere_else(name: str) -> None:
    mask = source_mask(without_marks(MARKED[name]))
    assert shown_lines(mask) == masked(MARKED[name]).split("\n")


@pytest.mark.parametrize("name", MARKED)
def test_a_place_in_a_masked_line_is_that_of_the_same_text(name: str) -> None:
    mask = source_mask(without_marks(MARKED[name]))
    for number, raw in enumerate(mask.lines):
        line = mask.line(number + 1)
        for column in range(1, len(raw) + 1):
            at, width = line.place(column, 1)
            if any(start < column <= end for _, start, end in line.pieces):
                assert line.text[at - 1 : at - 1 + width] == REDACTED
            else:
                assert (line.text[at - 1], width) == (raw[column - 1], 1)


@pytest.mark.parametrize(
    ("column", "width", "place"),
    [
        (1, 5, (1, 5)),
        (1, 6, (1, 6)),
        (1, 7, (1, 10)),
        (1, 12, (1, 10)),
        (1, 13, (1, 11)),
        (1, 100, (1, 16)),
        (7, 1, (7, 4)),
        (12, 9, (7, 4)),
        (13, 1, (11, 1)),
        (13, 8, (11, 6)),
        (17, 2, (13, 4)),
        (18, 1, (13, 4)),
        (19, 1, (13, 4)),
        (90, 5, (16, 1)),
    ],
)
def test_a_place_that_contains_masked_text_is_as_wide_as_the_mask(
    column: int, width: int, place: tuple[int, int]
) -> None:
    """The line is `start:secretm.hidden`; `secret` and `hidden` are masked."""
    line = MaskedLine("start:****m.****", ((6, 6, 12), (12, 14, 20)))
    assert line.place(column, width) == place


def test_a_place_in_a_line_that_is_not_masked_is_kept() -> None:
    assert MaskedLine("version: 1").place(20, 30) == (20, 30)


def hidden(text: str) -> set[KeyPath]:
    """Return the key paths of the values that a message must not show."""
    document = read_document("envs.yaml", decode_text(text.encode(), any_unicode=False))
    return {path for path in document.source.values if document.source.hides(path)}


def test_a_value_is_hidden_if_it_is_or_contains_one_that_may_be_a_secret() -> None:
    web: KeyPath = ("environments", "web")
    top: set[KeyPath] = {(), ("environments",), web}
    assert hidden(without_marks(MARKED["environments"])) == {
        *top,
        *((*web, "env", *below) for below in ((), ("FIRST",), ("LIST",), ("LIST", 0), ("LIST", 1), ("QUOTED",))),
        *((*web, "build_env", *below) for below in ((), ("SETTING",))),
    }
    hooks, probes, health, unknown = ((*web, key) for key in ("hooks", "probes", "health", "zzz"))
    first, second, pip, run = (*hooks, "after_publish", 0), (*hooks, "after_publish", 1), (*probes, 2), (*probes, 4)
    assert hidden(without_marks(MARKED["commands"])) == {
        *top,
        *(hooks, (*hooks, "after_publish"), first, (*first, 0), (*first, 1), second),
        *((*second, "run"), (*second, "run", 0), probes, pip, run),
        *((*run, "run", *below) for below in ((), (0,), (1,), (2,))),
        *(health, (*health, "run"), (*health, "run", 0), (*health, "run", 1), (*health, "zzz")),
        *(unknown, (*unknown, 0), (*unknown, 0, "a")),
    }


def test_a_value_that_was_not_read_is_hidden_if_it_is_in_a_section_with_secrets() -> None:
    mask = source_mask("version: 1\n")
    assert mask.hides(("environments", "web", "env", "A"))
    assert not mask.hides(("environments", "web", "env", "public"))
    assert not mask.hides(("environments", "web"))


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (("environments", "web", "env", "FIRST"), ("environments", "web", "env", "FIRST")),
        (("environments", "web", "env", "a b"), ("environments", "web", "env", REDACTED)),
        (("environments", "web", "env", "two"), ("environments", "web", "env", REDACTED)),
        (("environments", "web", "probes", 0, "token"), ("environments", "web", "probes", 0, REDACTED)),
        (("environments", "web", "zzz", 0, "x"), ("environments", "web", "zzz", 0, REDACTED)),
    ],
)
def test_a_key_that_may_be_a_part_of_a_value_is_masked_in_a_key_path(path: KeyPath, shown: KeyPath) -> None:
    mask = source_mask("environments:\n  web:\n    env: {FIRST: one,two}\n")
    assert mask.shown_path(path) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("version: 1\nx: [\n", "version: 1\n****\n"),
        (f"{'[' * 41}{']' * 41}\n# x", "****\n# ****"),
        (f"python: {'[' * 39}{']' * 39}\n# x", f"python: {'[' * 39}{']' * 39}\n# x"),
        ("python: [" + "[], " * 50_000 + "]\n# x", "python: [" + "[], " * 50_000 + "]\n# ****"),
    ],
    ids=["not YAML", "too deep", "as deep as it may be", "too large"],
)
def test_a_manifest_that_cannot_be_read_to_its_end_is_masked_as_text(text: str, shown: str) -> None:
    assert shown_lines(source_mask(text)) == shown.split("\n")


def test_the_mask_of_the_last_manifest_is_kept() -> None:
    lines, equal = ("version: 1", ""), ("version: 1", *[""])
    first = mask_of(lines)
    assert mask_of(lines) is first
    assert mask_of(equal) is not first
    assert mask_of(lines) is not first
