"""The lines of a manifest that is not valid YAML, as errors show them: masked only where a secret may be."""

import pytest

from reconciler.manifest.masked_lines import mask_lines
from tests.manifest.marked_secrets import masked, without_marks

# Manifests in which marks enclose what is masked.
MARKED = {
    "block style": """version: 1
project: acme

# «a comment»
  # «another»
environments:
  web:
    python: "3.12"
    packages:
      - six
      - django>=5
    labels: {tier: front}
    env:
      «A: b»
      «C: d»
    extras: [a,
      b]
""",
    "flow style": """environments:
  web: {python: "3.12", env: «{A: b}}»
  api: {packages: [six], depends_on: [web]}
  «job: text»
  old: {}
  new: {
    python: 3.12,
    env: «{A: b},»
  «}»
""",
    "sections": """environments:
  web:
    hooks:
      after_publish:
      «- [curl, x]»
      on_failure: «rollback»
    probes:
    - import: «six»
    - run: «[a]»
    health: «{run: [a], for: 10s}»
    python: 3.12
""",
    "outside of every environment": """env: «[A=1]»
«python:"3.12"»
«env:{A: b}»
«foo: bar»
«- x»
«]»
«---»
«...»
«word»
""",
    "values of several lines": """environments:
  web:
    description: "one
      two"
    packages: [six,
      django,
      # «note»
    ]
    python: 3.12
""",
    "keys in brackets": """environments:
  web:
    matrix: {python: [3.11], kind: {small: {env: «{A: b}}}}»
    labels: {x y: z}
    project: {path: ., «token: abc}»
    packages: [{name: six}]
""",
    "quotes in a section": """environments:
  web:
    env:
      «A: "it's # not»
        «one"»
      «B: [a, {b: c»
        «}, d] # e»
      «C: 'x''y'»
    python: 3.12
""",
    "merge and unknown keys": """templates:
  «<<: *x»
  base:
    «<<: *y»
    «env : {A: b}»
    python: three
    «zzz: 1»
    «- x»
""",
    "items": """environments:
  web:
    packages:
    - six
    - - nested
    - env: «{A: b}»
    «- {build_env {A: b}}»
    python: [env «{A: b}, x]»
""",
    "comments and tabs": """environments:
  web:
    python: 3.12 # env: «A»
    builds: [{ «A: {x: y}}]»
    exclude_newer: {when: {}}
	«packages: [six]»
""",
    "a value that ends where brackets and quotes end": """environments:
  web:
    env: «{A: [b,»
    «python: "x»
    «builds: y"], C: }»
    «}»
    python: 3.12
    health: «'it»
    «labels: x»
    «'»
    packages: []
    hooks: «# [»
    env:
     «"a\\"b»
    «depends_on: x"»
    extras: []
""",
    "after a text": """environments:
  web:
    description: one
      «two»
    packages:
    - six
    «more»
    extras: x
    «]»
    «- y»
    groups:
    «]»
""",
    "entries of one line": """environments:
  env: «{A: b}»
  hooks:
  web: {"python": 3.12}
  api: {}
  job: {
  «old: { x }»
  «new: 'x'»
  «late: # later»
  probes: «{}»
""",
    "labels and matrices of users": """environments:
  web:
    labels: {secret: x, env: «y}»
    matrix: {secret: [x], os: {linux: {packages: []}}}
    packages: { «secret: x}»
    ignore: [{match: six, reason: x, «until: y}]»
    lock: { «from: uv.lock, groups: {env: x}}»
    python: env {A: b}
""",
    "an item before any key": """«- six»
«word»
version: 1
---
...
""",
    "keys without a space": """version:1
python:"3.12"
  \x20
builds:  x
«env:{A: b}»
""",
    "items that are indented like their key": """env:
«- python: 3.12»
«- six»
  «builds: x»
version: 1
build_env: «{A: b}»
«- python: 3.12»
packages:
- six
- python: 3.12
""",
    "an item after the keys of a deeper level": """environments:
  web:
    builds: allow
  - six
    «- six»
""",
    "a quote inside a word, and a comment in the place of a value": """environments:
  web:
    description: it's
      «word»
    packages: # some
    - six
    extras: x
    «- six»
""",
    "items outside of a list": """environments:
«- word»
templates:
  base:
    python: 3.12
    «- word»
    packages:

    - six
    extras: [six
    groups: x
      «word»
""",
    "sections at the wrong depth": """environments:
  web:
    project:
      path: .
      env:
        «A: b»
      extras: [x]
  zzz:
    python: 3.12
«zzz:»
  «python: 3.12»
labels:
  env: «x»
""",
}


@pytest.mark.parametrize("name", MARKED)
def test_lines_are_masked_where_a_secret_may_be_and_nowhere_else(name: str) -> None:
    assert mask_lines(without_marks(MARKED[name]).split("\n")) == masked(MARKED[name]).split("\n")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("    builds: [{A: {x: y}}]", "    builds: [{ ****"),
        ("    packages: {secret: x}", "    packages: { ****"),
        ("    lock: {from: uv.lock, groups: {env: x}}", "    lock: { ****"),
        ("    packages: [six, {secret: x}]", "    packages: [six, { ****"),
    ],
)
def test_a_space_separates_a_mask_from_the_text_before_it(line: str, shown: str) -> None:
    assert mask_lines(["environments:", "  web:", line]) == ["environments:", "  web:", shown]
