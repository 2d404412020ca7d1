"""No error in a manifest shows a value that may be a secret, whatever is wrong with the text around it.

Each manifest has a mark in one of the places that plans mask, in one of the ways to write it. Each is then broken: a
line is lost, doubled, moved, renamed or replaced, and characters are lost or added. Some of the results are valid.
"""

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import ManifestError
from reconciler.manifest.expand import expand
from reconciler.manifest.load import load_manifest
from reconciler.render.error_document import error_json
from reconciler.render.error_text import render_problems
from tests.every_case import EVERY_CASE

MARK = "h7Tq9zWv"
NUMBER = "77340158"
HEAD = "version: 1\nproject: acme\n"
# @@ is the place of the value.
STYLES = {
    "block": """environments:
  web:
    python: "3.12"
    packages: [six]
    env:
      # an old one
      FIRST: one
      SETTING: @@
      LAST: three
      public: [LAST]
    labels: {tier: front}
""",
    "flow": """environments: {web: {python: "3.12", env: {FIRST: one, SETTING: @@, LAST: three}, packages: [six]}}
""",
    "flow of several lines": """environments:
  web: {
    python: "3.12",
    env: {FIRST: one,
      SETTING: @@,
      LAST: three},
    packages: [six]
  }
""",
    "environment of one line": """environments:
  web: {python: "3.12", packages: [six], build_env: {SETTING: @@, from_env: [HOME]}}
  api: {python: "3.12", env: {FIRST: one}}
""",
    "template and matrix": """templates:
  base:
    env: {SETTING: @@}
environments:
  web:
    extends: base
    matrix:
      python: ["3.12"]
      kind:
        small: {env: {FIRST: one}}
""",
    "variant": """environments:
  web:
    matrix:
      python: ["3.12"]
      kind:
        small:
          env:
            SETTING: @@
""",
    "probe": """environments:
  web:
    python: "3.12"
    probes:
      - dependencies
      - import: six
      - run: [curl, -u, @@, https://index.example]
        timeout: 10s
    packages: [six]
""",
    "probe in block style": """environments:
  web:
    python: "3.12"
    probes:
    - run:
      - curl
      - @@
    packages:
    - six
""",
    "hook": """environments:
  web:
    python: "3.12"
    hooks:
      on_failure: rollback
      after_publish:
        - [curl, @@]
        - {run: [curl, x], public: true}
      before_delete: [[curl, x]]
    packages: [six]
""",
    "hook with options": """environments:
  web:
    python: "3.12"
    hooks: {after_publish: [{run: [curl, @@], public: false}]}
    packages: [six]
""",
    "health": """environments:
  web:
    python: "3.12"
    health:
      run: [curl, "x", @@]
      for: 10m
    packages: [six]
""",
}
WRITTEN = (
    MARK,
    f'"{MARK}"',
    f"'{MARK}'",
    NUMBER,
    f"0{NUMBER}",
    f"{NUMBER}.5",
    f"one,{MARK}",
    f"one, {MARK}",
    f"one: {MARK}",
    f"one {{{MARK}}}",
    f"{{python}}{{{MARK}}}",
    f"[{MARK}]",
    f"{{{MARK}: x}}",
    f"{{x: {MARK}}}",
    f"*{MARK}",
    f"&{MARK} x",
    f"!{MARK} x",
    f"!!str {MARK}",
    f"@{MARK}",
    f"`{MARK}",
    f"%{MARK}",
    f"x # {MARK}",
    f"x#{MARK}",
    f'"x {MARK}',
    f'"x\\{MARK}"',
    f"'it''s {MARK}'",
    f'"one\n        {MARK}\n        two"',
    f'"one\n{MARK}: two"',
    f"'one\n\n  {MARK}'",
    f"|\n          one\n          {MARK}: two\n          three",
    f">-\n          one\n          python: {MARK}\n          - three",
    f"one\n          {MARK}\n          two",
    f"\n          {MARK}",
    f'"one\n      {MARK}: two"',
    f"? {MARK}",
    f"- {MARK}",
    f"-{MARK}",
    f"https://user:{MARK}@host.example",
    f"https://host.example/{MARK}",
    f"packages: [{MARK}]",
    f"{{packages: [{MARK}]}}",
    f"option={MARK}",
    f"\x01{MARK}",
    f'"\\0{MARK}"',
    f"ключ-{MARK}-密码",
    f"<<: {MARK}",
)
BROKEN_LINES = (
    "  : : x",
    "\t- x",
    "    [",
    "   }",
    '  "',
    "      '",
    "    x: *x",
    "    <<: *x",
    "    y: &x [one]",
    "  - - :",
    "@x",
    "? x",
    "word",
    "   python: three",
    "      timeout: {}",
    "    env: [A=1]",
    "    env: {A: b, A: c}",
    "    <<: {env: {A: b}}",
    "---",
    "    %x: y",
    "    packages: [django[web]]",
    "    x: !y z",
    "    nul: \x00",
)
CHARACTERS = "\"'[]{},:-#&*!|>%@`"


def manifests(style: str) -> Iterator[tuple[str, str, bool]]:
    """Yield what each manifest of a style is, its text with a mark, and whether a line of the value looks like a key.

    Such a line is a key if the line before it is lost, or if its quotes are closed before it.
    """
    for written in WRITTEN:
        looks_like_key = "\n" in written and ": " in written
        yield f"{style}: {written!r}", HEAD + STYLES[style].replace("@@", written), looks_like_key


def broken(text: str, *, only_added: bool) -> Iterator[str]:
    """Yield a manifest as it is, and broken in every way; with `only_added` nothing of it is lost."""
    yield text
    lines = text.split("\n")
    for at, line in enumerate(lines):
        changes = [[line, each] for each in BROKEN_LINES if not only_added or not {*"\"'"} & {*each}]
        changes += [] if only_added else [[each] for each in changed_lines(line)]
        changes += [] if only_added else [[], [line, line]]
        for changed in changes:
            yield "\n".join([*lines[:at], *changed, *lines[at + 1 :]])
    for match in re.finditer(r"[\"'\[\]{},:]", "" if only_added else text):
        yield text[: match.start()] + text[match.end() :]


def changed_lines(line: str) -> Iterator[str]:
    """Yield a line that is moved, or with another key or value, or without one of its characters."""
    yield from (f" {line}", f"  {line}", f"\t{line}", line[1:], line[2:], f"# {line}")
    if key := re.match(r"(\s*(?:- )?)([a-z_]+)(:.*)", line):
        lead, name, rest = key.groups()
        yield from (f"{lead}{each}{rest}" for each in (name[:-1], name[1:], f"{name}s", name.upper(), "zzz", "<<"))
        yield from (f"{lead}{name}: {each}" for each in ("", "1", "true", "x", "[]", "{}", "[{}]"))
        yield from (f"{lead}{name}:{each}{rest[1:]}" for each in (" [", " {", "", " -", " &x", " *x", ' "'))
    yield from (line.replace(character, "", 1) for character in CHARACTERS if character in line)


def shown(file: Path) -> str:
    """Return everything that any output has of the errors of a manifest."""
    try:
        expand(load_manifest(file), ambient={"HOME": "/home/x"})
    except ManifestError as error:
        return f"{render_problems(error)}{error_json(error, one_line=False)}{error}{error.hint}{error.problems!r}"
    return ""


@pytest.mark.parametrize("style", STYLES)
def test_no_error_quotes_a_secret(style: str, tmp_path: Path) -> None:
    file = tmp_path / "envs.yaml"
    invalid = 0
    for name, text, looks_like_key in manifests(style):
        variants = list(broken(text, only_added=looks_like_key))
        some = variants if EVERY_CASE else [text, *random.Random(name).sample(variants, 25)]  # noqa: S311
        for each in some:
            file.write_text(each, encoding="utf-8")
            found = shown(file)
            invalid += bool(found)
            for mark in (MARK, NUMBER):
                assert mark not in found, f"{name}\n{each}\n{found[: found.index(mark) + 400]}"
    assert invalid > len(WRITTEN) * 10, "most of them are invalid"
