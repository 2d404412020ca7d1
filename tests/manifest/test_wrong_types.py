"""Values of the wrong type and unknown keys in an environment: the place, the key, the message and the hint."""

from pathlib import Path

import pytest

from reconciler.errors import ManifestError
from reconciler.manifest.load import load_manifest

HEAD = 'version: 1\nproject: acme\nenvironments:\n  web:\n    python: "3.12"\n    '
KEYS: list[tuple[str, list[tuple[str, str, str, str]]]] = [
    (
        "keep_generations: '3'",
        [("6:23", ".keep_generations", 'expected a whole number, got the string `"3"`', "write `3` without quotes")],
    ),
    (
        "keep_generations: 3.0",
        [("6:23", ".keep_generations", "expected a whole number, got the number 3.0", "did you mean `3`?")],
    ),
    ("keep_generations: 0", [("6:23", ".keep_generations", "expected 1 or more, got 0", "")]),
    ("keep_generations: -1", [("6:23", ".keep_generations", "expected 1 or more, got -1", "")]),
    ("keep_generations: 1.5", [("6:23", ".keep_generations", "expected a whole number, got the number 1.5", "")]),
    ("keep_generations: many", [("6:23", ".keep_generations", "expected a whole number, got `many`", "")]),
    (
        "keep_generations: 010",
        [
            (
                "6:23",
                ".keep_generations",
                "ambiguous number: YAML versions read it differently",
                'write a plain decimal number, or quote it: `"010"`',
            )
        ],
    ),
    ("keep_generations: [3]", [("6:23", ".keep_generations", "expected a whole number, got a list", "")]),
    (
        "prevent_destroy: 'yes'",
        [
            (
                "6:22",
                ".prevent_destroy",
                'expected `true` or `false`, got the string `"yes"`',
                "write `true` without quotes",
            )
        ],
    ),
    (
        "prevent_destroy: 1",
        [("6:22", ".prevent_destroy", "expected `true` or `false`, got the number 1", "did you mean `true`?")],
    ),
    ("prevent_destroy: maybe", [("6:22", ".prevent_destroy", "expected `true` or `false`, got `maybe`", "")]),
    ("prevent_destroy: ~", [("6:5", ".prevent_destroy", "missing value", "remove the key, or give it a value")]),
    ("system_site_packages: On", []),
    (
        "link_mode: reflink",
        [("6:16", ".link_mode", "expected `clone`, `hardlink` or `copy`, got `reflink`", "did you mean `clone`?")],
    ),
    (
        "link_mode: Clone",
        [("6:16", ".link_mode", "expected `clone`, `hardlink` or `copy`, got `Clone`", "did you mean `clone`?")],
    ),
    ("link_mode: zzz", [("6:16", ".link_mode", "expected `clone`, `hardlink` or `copy`, got `zzz`", "")]),
    ("link_mode: 3", [("6:16", ".link_mode", "expected `clone`, `hardlink` or `copy`, got the number 3", "")]),
    ("link_mode: [copy]", [("6:16", ".link_mode", "expected `clone`, `hardlink` or `copy`, got a list", "")]),
    (
        "prerelease: true",
        [
            (
                "6:17",
                ".prerelease",
                "expected `disallow`, `allow`, `if-necessary` or `explicit`, got the boolean `true`",
                "write `prerelease: allow`",
            )
        ],
    ),
    (
        "prerelease: alow",
        [
            (
                "6:17",
                ".prerelease",
                "expected `disallow`, `allow`, `if-necessary` or `explicit`, got `alow`",
                "did you mean `allow`?",
            )
        ],
    ),
    (
        "builds: true",
        [
            (
                "6:13",
                ".builds",
                "expected `allow`, `deny` or a list of package names, got the boolean `true`",
                "write `builds: allow`",
            )
        ],
    ),
    ("builds: {a: b}", [("6:13", ".builds", "expected `allow`, `deny` or a list of package names, got a mapping", "")]),
    (
        "description: 3.10",
        [
            (
                "6:18",
                ".description",
                "expected a string, got `3.10`, which YAML reads as the number 3.1",
                'quote it: `"3.10"`',
            )
        ],
    ),
    (
        "description: yes",
        [("6:18", ".description", "expected a string, got `yes`, which YAML reads as `true`", 'quote it: `"yes"`')],
    ),
    ("description: 1e3", []),
    (
        "description: {name}",
        [
            ("6:18", ".description", "expected a string, got a mapping", 'quote it: `"{name}"`'),
            ("6:19", ".description.name", "missing value", "remove the key, or give it a value"),
        ],
    ),
    ("description: {a: b}", [("6:18", ".description", "expected a string, got a mapping", "")]),
    ("description: [a]", [("6:18", ".description", "expected a string, got a list", "")]),
    (
        "description: 0x1F",
        [
            (
                "6:18",
                ".description",
                "ambiguous number: YAML versions read it differently",
                'write a plain decimal number, or quote it: `"0x1F"`',
            )
        ],
    ),
    ("packages: six", [("6:15", ".packages", "expected a list, got `six`", "write it as a list: `[six]`")]),
    ("packages: {six: 1.0}", [("6:15", ".packages", "expected a list, got a mapping", "write `packages: [six==1.0]`")]),
    ("packages: [1.0]", [("6:16", ".packages[0]", "expected a string, got the number 1.0", 'quote it: `"1.0"`')]),
    ("packages: [[six]]", [("6:16", ".packages[0]", "expected a string, got a list", "")]),
    ("packages: 3", [("6:15", ".packages", "expected a list, got the number 3", "")]),
    (
        "extends: base",
        [
            (
                "6:14",
                ".extends",
                "no template named `base`",
                "define it first, or leave it out: no templates are defined",
            )
        ],
    ),
    ("extends: {a: b}", [("6:14", ".extends", "expected a name or a list of names, got a mapping", "")]),
    ("extends: 3", [("6:14", ".extends", "expected a name or a list of names, got the number 3", "")]),
    ("extends: []", []),
    (
        "extends: ['base, web']",
        [
            (
                "6:15",
                ".extends[0]",
                "not a valid name: use lower-case letters, digits, `-` and `_`, and start with a letter or digit",
                "rename it, for example to `base-web`",
            ),
            (
                "6:15",
                ".extends[0]",
                "no template named `base, web`",
                "define it first, or leave it out: no templates are defined",
            ),
        ],
    ),
    (
        "extends: 'base, web'",
        [
            (
                "6:14",
                ".extends",
                "not a valid name: use lower-case letters, digits, `-` and `_`, and start with a letter or digit",
                "write it as a list: `[base, web]`",
            ),
            (
                "6:14",
                ".extends",
                "no template named `base, web`",
                "define it first, or leave it out: no templates are defined",
            ),
        ],
    ),
    ("depends_on: 3.1", [("6:17", ".depends_on", "expected a list, got the number 3.1", "")]),
    ("labels: [a=b]", [("6:13", ".labels", "expected a mapping, got a list", "write `labels: {a: b}`")]),
    ("labels: a", [("6:13", ".labels", "expected a mapping, got `a`", 'write `labels: {a: "yes"}`')]),
    ("labels: {a: 1}", [("6:17", ".labels.a", "expected a string, got the number 1", 'quote it: `"1"`')]),
    ("labels: {a: [b]}", [("6:17", ".labels.a", "expected a string, got a list", "")]),
    (
        "labels: tier:front",
        [("6:13", ".labels", "expected a mapping, got `tier:front`", "write `labels: {tier: front}`")],
    ),
    ("env: [A=1]", [("6:10", ".env", "expected a mapping, got a list", "write it as a mapping: `{NAME: VALUE}`")]),
    ("env: A=1", [("6:10", ".env", "expected a mapping, got a string", "write it as a mapping: `{NAME: VALUE}`")]),
    ("env: {A: 1}", [("6:14", ".env.A", "expected a string, got a number", "put the value in quotes")]),
    ("env: {A: [b]}", [("6:14", ".env.A", "expected a string, got a list", "")]),
    ("env: 3", [("6:10", ".env", "expected a mapping, got a number", "write it as a mapping: `{NAME: VALUE}`")]),
    (
        "build_env: {A: 1}",
        [
            (
                "6:20",
                ".build_env.A",
                "expected text, or for `from_env` and `public` a list of names, got a number",
                "put the value in quotes",
            )
        ],
    ),
    (
        "build_env: {from_env: HOME}",
        [("6:27", ".build_env.from_env", "expected a list, got `HOME`", "write it as a list: `[HOME]`")],
    ),
    (
        "build_env: A",
        [("6:16", ".build_env", "expected a mapping, got a string", "write it as a mapping: `{NAME: VALUE}`")],
    ),
    (
        "build_env: [A=1]",
        [("6:16", ".build_env", "expected a mapping, got a list", "write it as a mapping: `{NAME: VALUE}`")],
    ),
    (
        "probes: six",
        [
            (
                "6:13",
                ".probes",
                "expected a list, got a string",
                "write it as a list of probes: `[{run: [PROGRAM, ARGUMENT]}]`",
            )
        ],
    ),
    (
        "probes: {import: six}",
        [("6:13", ".probes", "expected a list, got a mapping", "write `probes: [{import: six}]`")],
    ),
    (
        "probes: [{run: six}]",
        [("6:20", ".probes[0].run", "expected a list, got a string", "write it as a list: `[PROGRAM, ARGUMENT]`")],
    ),
    (
        "probes: [{import: 3}]",
        [
            (
                "6:23",
                ".probes[0].import",
                "expected a string, got the number 3",
                "write it as in an `import` statement, for example `acme.settings`",
            )
        ],
    ),
    (
        "probes: [{run: [1]}]",
        [("6:21", ".probes[0].run[0]", "expected a string, got a number", "put the value in quotes")],
    ),
    ("probes: []", []),
    (
        "probes: [six]",
        [
            (
                "6:14",
                ".probes[0]",
                "expected `dependencies`, got a string",
                "write it as a list of probes: `[{run: [PROGRAM, ARGUMENT]}]`",
            )
        ],
    ),
    (
        "hooks: {after_publish: 'a b'}",
        [
            (
                "6:28",
                ".hooks.after_publish",
                "expected a list, got a string",
                "write it as a list of commands: `[[PROGRAM, ARGUMENT]]`",
            )
        ],
    ),
    (
        "hooks: {after_publish: [a, b]}",
        [
            (
                "6:29",
                ".hooks.after_publish[0]",
                "expected a list, got a string",
                "write it as a list of commands: `[[PROGRAM, ARGUMENT]]`",
            ),
            (
                "6:32",
                ".hooks.after_publish[1]",
                "expected a list, got a string",
                "write it as a list of commands: `[[PROGRAM, ARGUMENT]]`",
            ),
        ],
    ),
    (
        "hooks: {after_publish: [[1]]}",
        [("6:30", ".hooks.after_publish[0][0]", "expected a string, got a number", "put the value in quotes")],
    ),
    ("hooks: {on_failure: zzz}", [("6:25", ".hooks.on_failure", "expected `keep` or `rollback`, got `zzz`", "")]),
    ("hooks: [a]", [("6:12", ".hooks", "expected a mapping, got a list", "")]),
    (
        "hooks: {after_publish: [[]]}",
        [("6:29", ".hooks.after_publish[0]", "the command is empty", "list the program and its arguments")],
    ),
    (
        "health: curl",
        [
            (
                "6:13",
                ".health",
                "expected a mapping, got a string",
                "write it as a mapping: `{run: [PROGRAM, ARGUMENT]}`",
            )
        ],
    ),
    (
        "health: {run: curl}",
        [("6:19", ".health.run", "expected a list, got a string", "write it as a list: `[PROGRAM, ARGUMENT]`")],
    ),
    (
        "health: [curl]",
        [("6:13", ".health", "expected a mapping, got a list", "write it as a mapping: `{run: [PROGRAM, ARGUMENT]}`")],
    ),
    ("health: {run: []}", [("6:19", ".health.run", "the command is empty", "list the program and its arguments")]),
    ("health: {run: [a], for: 0}", [("6:29", ".health.for", "must be more than 0", "")]),
    (
        "health: {run: [a], timeout: x}",
        [
            (
                "6:33",
                ".health.timeout",
                "not a valid duration",
                "write a duration such as `10s`, `2m` or `1h`, or a number of seconds",
            )
        ],
    ),
    ("matrix: ['3.11']", [("6:13", ".matrix", "expected a mapping, got a list", 'write `matrix: {python: ["3.11"]}`')]),
    ("matrix: {python: 3.11}", [("6:22", ".matrix.python", "expected a list, got the number 3.11", "")]),
    (
        "matrix: {python: ['3.11', 3.12]}",
        [("6:31", ".matrix.python[1]", "expected a string, got the number 3.12", 'quote it: `"3.12"`')],
    ),
    ("project: app", [("6:14", ".project", "expected a mapping, got `app`", "write `project: {path: app}`")]),
    (
        "project: true",
        [("6:14", ".project", "expected a mapping, got the boolean `true`", "write `project: {path: .}`")],
    ),
    ("project: {path: 3}", [("6:21", ".project.path", "expected a string, got the number 3", 'quote it: `"3"`')]),
    (
        "project: {extras: web}",
        [("6:23", ".project.extras", "expected a list, got `web`", "write it as a list: `[web]`")],
    ),
    (
        "project: {editable: 'yes'}",
        [
            (
                "6:25",
                ".project.editable",
                'expected `true` or `false`, got the string `"yes"`',
                "write `true` without quotes",
            )
        ],
    ),
    ("lock: uv.lock", [("6:11", ".lock", "expected a mapping, got `uv.lock`", "write `lock: {from: uv.lock}`")]),
    (
        "lock: {from: 3}",
        [
            (
                "6:18",
                ".lock.from",
                "expected a string, got the number 3",
                "write the path of a `uv.lock`, `poetry.lock`, `pdm.lock`, `pylock.toml` or `pylock.NAME.toml`",
            )
        ],
    ),
    ("lock: []", [("6:11", ".lock", "expected a mapping, got a list", "")]),
    ("ignore: '*.pyc'", [("6:13", ".ignore", "expected a list, got `*.pyc`", 'write it as a list: `["*.pyc"]`')]),
    ("ignore: [{match: x}]", []),
    (
        "ignore: [3]",
        [
            (
                "6:14",
                ".ignore[0]",
                "expected a pattern or {match: PATTERN, reason: TEXT, until: DATE}, got the number 3",
                "",
            )
        ],
    ),
    (
        "exclude_newer: 2026",
        [
            (
                "6:20",
                ".exclude_newer",
                "expected a string, got the number 2026",
                "write a date (`2026-11-01`), an RFC 3339 time (`2026-11-01T12:00:00Z`) or an age (`7 days`, `P7D`)",
            )
        ],
    ),
    ("exclude_newer: 2026-01-01", []),
    ("overrides: six", [("6:16", ".overrides", "expected a list, got `six`", "write it as a list: `[six]`")]),
    (
        "requirements: a.txt",
        [("6:19", ".requirements", "expected a list, got `a.txt`", "write it as a list: `[a.txt]`")],
    ),
    ("constraints: {a: b}", [("6:18", ".constraints", "expected a list, got a mapping", "")]),
    ("renamed_from: 3", [("6:19", ".renamed_from", "expected a string, got the number 3", 'quote it: `"3"`')]),
    ("access: 3", [("6:5", ".access", "unknown key", "move `access` to the top level of the manifest")]),
    ("access: {}", [("6:5", ".access", "unknown key", "move `access` to the top level of the manifest")]),
    ("zzz: 1", [("6:5", ".zzz", "unknown key", "remove it; `envsync schema manifest` lists all keys")]),
    ("environment: x", [("6:5", ".environment", "unknown key", "did you mean `requirements`?")]),
    ("pakages: []", [("6:5", ".pakages", "unknown key", "did you mean `packages`?")]),
    ("name: x", [("6:5", ".name", "unknown key", "did you mean `project`?")]),
    ("root: x", [("6:5", ".root", "unknown key", "move `root` to the top level of the manifest")]),
    ("pip: [six]", [("6:5", ".pip", "unknown key", "did you mean `packages`?")]),
    ("path: x", [("6:5", ".path", "unknown key", "move `path` into `project`")]),
    ("extras: [a]", [("6:5", ".extras", "unknown key", "move `extras` into `project`")]),
    (
        "indexes: main",
        [
            ("6:14", ".indexes", "expected a list, got `main`", "write it as a list: `[main]`"),
            ("6:14", ".indexes", "no index named `main`", "define it first, or leave it out: no indexes are defined"),
        ],
    ),
    ("groups: [a]", [("6:5", ".groups", "unknown key", "move `groups` into `project`")]),
    ("editable: true", [("6:5", ".editable", "unknown key", "move `editable` into `project`")]),
    ("templates: {}", [("6:5", ".templates", "unknown key", "move `templates` to the top level of the manifest")]),
    ("project_name: x", [("6:5", ".project_name", "unknown key", "did you mean `project`?")]),
    (
        "labels: {a: b, a b: c}",
        [
            (
                "6:20",
                '.labels["a b"]',
                "not a valid label name: use letters, digits and `. _ / -`, and start and end with a letter or digit",
                "",
            )
        ],
    ),
    ("zzzz: 1", [("6:5", ".zzzz", "unknown key", "remove it; `envsync schema manifest` lists all keys")]),
    (
        "lock: {zzz: 1}",
        [
            ("6:5", ".lock", "missing key `from`", ""),
            ("6:12", ".lock.zzz", "unknown key", "remove it, or use one of these keys: `from`, `extras`, `groups`"),
        ],
    ),
    (
        "health: {run: [a], zzz: 1}",
        [
            (
                "6:24",
                ".health.zzz",
                "unknown key",
                "remove it, or use one of these keys: `run`, `for`, `timeout`, `otherwise`, `public`",
            )
        ],
    ),
    (
        "ignore: [{match: x, zzz: y}]",
        [("6:25", ".ignore[0].zzz", "unknown key", "remove it, or use one of these keys: `match`, `reason`, `until`")],
    ),
    (
        "project: {zzz: 1}",
        [
            (
                "6:15",
                ".project.zzz",
                "unknown key",
                "remove it, or use one of these keys: `path`, `editable`, `extras`, `groups`",
            )
        ],
    ),
    (
        "matrix: {python: ['3.12'], zzz: {a: {pakages: []}}}",
        [("6:42", ".matrix.zzz.a.pakages", "unknown key", "did you mean `packages`?")],
    ),
    (
        "probes: [{import: six, zzz: 1}]",
        [("6:28", '.probes[0]["****"]', "unknown key", "remove it, or use one of these keys: `import`, `timeout`")],
    ),
    (
        "probes: [{run: [a], zzz: 1}]",
        [
            (
                "6:25",
                '.probes[0]["****"]',
                "unknown key",
                "remove it, or use one of these keys: `run`, `timeout`, `public`",
            )
        ],
    ),
    (
        "hooks: {zzz: []}",
        [
            (
                "6:13",
                ".hooks.zzz",
                "unknown key",
                "remove it, or use one of these keys: `after_publish`, `before_delete`, `on_failure`",
            )
        ],
    ),
    (
        "hooks: {after_publish: [{run: [a], zzz: 1}]}",
        [
            (
                "6:40",
                '.hooks.after_publish[0]["****"]',
                "unknown key",
                "remove it, or use one of these keys: `run`, `public`",
            )
        ],
    ),
]


@pytest.mark.parametrize(("written", "problems"), KEYS)
def test_a_value_has_these_problems(written: str, problems: list[tuple[str, str, str, str]], tmp_path: Path) -> None:
    file = tmp_path / "envs.yaml"
    file.write_text(f"{HEAD}{written}\n")
    if not problems:
        load_manifest(file)
        return
    with pytest.raises(ManifestError) as caught:
        load_manifest(file)
    found = [
        (
            f"{each.place}".removeprefix(f"{file}:"),
            each.path.removeprefix("environments.web"),
            each.message,
            each.hint or "",
        )
        for each in caught.value.problems
    ]
    assert found == problems
