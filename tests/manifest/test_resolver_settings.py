"""Settings of uv and PDM that change what is resolved: taken over, equal to a key of the manifest, or refused."""

from pathlib import Path

import pytest

from reconciler.errors import ManifestError
from reconciler.manifest.desired import DesiredEnvironment
from tests.manifest.test_project_sources import expanded, write

OWN_LOCK = "remove it, or use the tool's own lock (the key `lock`)"
AFTER_NAME = "not a valid requirement: expected a version specifier such as `==1.0` after the name"
# A table, what it has, more keys of the environment, and the problems: their place in pyproject.toml, message and hint.
SETTINGS: list[tuple[str, str, str, list[tuple[str, str, str]]]] = [
    (
        "uv",
        "fork-strategy = 'fewest'",
        "",
        [("6:1", "`fork-strategy` is not supported: versions would differ", OWN_LOCK)],
    ),
    ("uv", "resolution = 'highest'", "", []),
    ("uv", "resolution = 'lowest'", "", [("6:1", "`resolution` is not supported: versions would differ", OWN_LOCK)]),
    (
        "uv",
        "exclude-dependencies = ['six']",
        "",
        [("6:1", "`exclude-dependencies` is not supported: packages would differ", OWN_LOCK)],
    ),
    (
        "uv",
        "dependency-metadata = [{name='six'}]",
        "",
        [("6:1", "`dependency-metadata` is not supported: packages would differ", OWN_LOCK)],
    ),
    ("uv", "index-url = 1", "", [("6:1", "`index-url` must be a string or a list", "put the value in quotes")]),
    ("uv", "find-links = true", "", [("6:1", "`find-links` must be a string or a list", "put the value in quotes")]),
    (
        "uv",
        "prerelease = 'allow'",
        "",
        [
            (
                "6:1",
                "the manifest has `prerelease: if-necessary`: versions would differ",
                "set `prerelease: allow` in the manifest",
            )
        ],
    ),
    ("uv", "prerelease = 'allow'", "prerelease: allow", []),
    ("uv", "prerelease = 'if-necessary-or-explicit'", "", []),
    ("uv", "prerelease = 'if-necessary'", "", []),
    (
        "uv",
        "prerelease = 'explicit'",
        "",
        [
            (
                "6:1",
                "the manifest has `prerelease: if-necessary`: versions would differ",
                "set `prerelease: explicit` in the manifest",
            )
        ],
    ),
    (
        "uv",
        "exclude-newer = '2026-01-01'",
        "",
        [
            (
                "6:1",
                "not the same as `exclude_newer` in the manifest: versions would differ",
                'set `exclude_newer: "2026-01-01"` in the manifest',
            )
        ],
    ),
    ("uv", "exclude-newer = '2026-01-01'", 'exclude_newer: "2026-01-01"', []),
    ("uv", "exclude-newer = 2026-01-01", 'exclude_newer: "2026-01-01"', []),
    ("uv", "no-build = true", "", [("6:1", "the manifest allows builds", "set `builds: deny` in the manifest")]),
    ("uv", "no-build = true", "builds: deny", []),
    ("uv", "no-build = false", "builds: allow", []),
    (
        "uv",
        "no-build-package = ['six']",
        "",
        [("6:1", "`no-build-package` is not supported", "remove it, and set `builds` in the manifest")],
    ),
    ("uv", "no-build = true\nno-build-package = ['six']", "builds: deny", []),
    (
        "uv",
        "no-build = true\nno-binary-package = ['six']",
        "builds: deny",
        [("7:1", "`no-binary-package` is not supported", "remove it, and set `builds` in the manifest")],
    ),
    (
        "uv",
        "no-binary = true",
        "",
        [("6:1", "`no-binary` is not supported", "remove it, and set `builds` in the manifest")],
    ),
    (
        "uv",
        "build-constraint-dependencies = ['six']",
        "",
        [
            (
                "6:1",
                "`build-constraint-dependencies` is not supported: builds would differ",
                "remove it, or set `builds: deny` in the manifest",
            )
        ],
    ),
    (
        "uv",
        "config-settings = {a = 'b'}",
        "",
        [
            (
                "6:1",
                "`config-settings` is not supported: builds would differ",
                "remove it, or set `builds: deny` in the manifest",
            )
        ],
    ),
    ("uv", "config-settings = {a = 'b'}", "builds: deny", []),
    (
        "uv",
        "extra-build-dependencies = {six = ['x']}",
        "",
        [
            (
                "6:1",
                "`extra-build-dependencies` is not supported: the build of `six` would differ",
                "remove it, or set `builds` in the manifest to a list without `six`",
            )
        ],
    ),
    (
        "uv",
        "extra-build-dependencies = {Six_X = ['x']}",
        "builds: [six-x]",
        [
            (
                "6:1",
                "`extra-build-dependencies` is not supported: the build of `six-x` would differ",
                "remove it, or set `builds` in the manifest to a list without `six-x`",
            )
        ],
    ),
    ("uv", "extra-build-dependencies = {six = ['x']}", "builds: [idna]", []),
    (
        "uv",
        "no-build-isolation-package = ['six']",
        "",
        [
            (
                "6:1",
                "`no-build-isolation-package` is not supported: the build of `six` would differ",
                "remove it, or set `builds` in the manifest to a list without `six`",
            )
        ],
    ),
    (
        "uv",
        "no-build-isolation = true",
        "",
        [
            (
                "6:1",
                "`no-build-isolation` is not supported: builds would differ",
                "remove it, or set `builds: deny` in the manifest",
            )
        ],
    ),
    (
        "uv",
        "extra-build-variables = {six = {A = 'b'}}",
        "",
        [
            (
                "6:1",
                "`extra-build-variables` is not supported: the build of `six` would differ",
                "remove it, or set `builds` in the manifest to a list without `six`",
            )
        ],
    ),
    (
        "uv",
        "config-settings-package = {six = {A = 'b'}}",
        "",
        [
            (
                "6:1",
                "`config-settings-package` is not supported: the build of `six` would differ",
                "remove it, or set `builds` in the manifest to a list without `six`",
            )
        ],
    ),
    (
        "uv",
        "constraint-dependencies = ['six<2', '-e .']",
        "",
        [
            (
                "6:37",
                "must be a requirement, not an option",
                "write `project: {path: ., editable: true}` in the environment instead",
            )
        ],
    ),
    ("pdm.resolution", "excludes = ['six']", "", [("6:1", "`excludes` is not supported", OWN_LOCK)]),
    (
        "pdm.resolution",
        "allow-prereleases = true",
        "",
        [
            (
                "6:1",
                "the manifest has `prerelease: if-necessary`: versions would differ",
                "set `prerelease: allow` in the manifest",
            )
        ],
    ),
    ("pdm.resolution", "allow-prereleases = true", "prerelease: allow", []),
    ("pdm.resolution", "allow-prereleases = false", "", []),
    (
        "uv",
        "exclude-newer-package = {six = '2026-01-01'}",
        "",
        [("6:1", "`exclude-newer-package` is not supported: packages would differ", OWN_LOCK)],
    ),
    ("uv", "no-index = true", "", [("6:1", "`no-index` is not supported: packages would differ", OWN_LOCK)]),
    (
        "uv",
        "no-sources-package = ['six']",
        "",
        [("6:1", "`no-sources-package` is not supported: packages would differ", OWN_LOCK)],
    ),
    (
        "uv",
        "index-strategy = 'unsafe-best-match'",
        "",
        [("6:1", "`index-strategy` is not supported: versions would differ", OWN_LOCK)],
    ),
    (
        "pdm.resolution",
        "overrides = {six = 'x y'}",
        "",
        [
            (
                "6:14",
                f"not a valid override of `six`: {AFTER_NAME}",
                "",
            )
        ],
    ),
]


def environment(directory: Path, table: str, text: str, keys: str) -> DesiredEnvironment:
    write(directory / "app", "app", more=f"[tool.{table}]\n{text}\n")
    manifest = f'environments: {{web: {{python: "3.12", project: {{path: app}}, {keys}}}}}\n'
    return expanded(directory, manifest).environments[0]


@pytest.mark.parametrize(("table", "text", "keys", "problems"), SETTINGS)
def test_a_setting_that_the_manifest_does_not_have_too_is_refused(
    table: str, text: str, keys: str, problems: list[tuple[str, str, str]], tmp_path: Path
) -> None:
    if not problems:
        found = environment(tmp_path, table, text, keys)
        assert (found.constraints, found.overrides) == ((), ())
        return
    with pytest.raises(ManifestError) as caught:
        environment(tmp_path, table, text, keys)
    file = f"{tmp_path}/app/pyproject.toml"
    assert [(f"{each.place}", each.message, each.hint or "") for each in caught.value.problems] == [
        (f"{file}:{place}", message, hint) for place, message, hint in problems
    ]


@pytest.mark.parametrize(
    ("table", "text", "keys", "constraints", "overrides"),
    [
        ("uv", "constraint-dependencies = ['Six<2']", "", ("six<2",), ()),
        ("uv", "override-dependencies = ['six<2', 'Idna']", "", (), ("six<2", "idna")),
        ("uv", "override-dependencies = ['six<2', 'Idna']", "overrides: [six==1]", (), ("six==1", "idna")),
        (
            "pdm.resolution",
            "overrides = {idna = '>=3', toml = '1.0', b = 'https://a.example/b.whl'}",
            "",
            (),
            ("idna>=3", "toml==1.0", "b @ https://a.example/b.whl"),
        ),
    ],
)
def test_constraints_and_overrides_are_taken_over(
    table: str, text: str, keys: str, constraints: tuple[str, ...], overrides: tuple[str, ...], tmp_path: Path
) -> None:
    found = environment(tmp_path, table, text, keys)
    assert (found.constraints, found.overrides) == (constraints, overrides)
