"""Sources and settings of uv, Poetry and PDM that a case file cannot show: workspaces, and values of any type.

The translations and the refusals are in tests/cases/manifest/good/uv-sources and bad_files/project-sources.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import ManifestError
from reconciler.manifest.desired import DesiredState
from reconciler.manifest.expand import expand
from reconciler.manifest.load import load_manifest

HEAD = "version: 1\nproject: acme\n"


def expanded(directory: Path, manifest: str) -> DesiredState:
    (directory / "envs.yaml").write_text(HEAD + manifest, encoding="utf-8")
    return expand(load_manifest(directory / "envs.yaml"))


def problems(directory: Path, manifest: str) -> list[str]:
    """Return what is wrong with a manifest, each with its place from `directory`."""
    try:
        expanded(directory, manifest)
    except ManifestError as error:
        return [f"{each.place}: {each.message}".removeprefix(f"{directory}/") for each in error.problems]
    return []


def write(directory: Path, name: str, *requires: str, more: str = "") -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    head = f'[project]\nname = "{name}"\nversion = "1"\ndependencies = {json.dumps(requires)}\n'
    (directory / "pyproject.toml").write_text(head + more, encoding="utf-8")
    return directory


APP = 'environments: {web: {python: "3.12", project: {path: app}}}\n'


def test_a_member_that_appears_is_never_looked_up_on_an_index(tmp_path: Path) -> None:
    write(tmp_path, "root", more='[tool.uv.workspace]\nmembers = ["app", "libs/**"]\n')
    write(tmp_path / "app", "app", "Core_Lib")
    assert {each.path: each.sha256 for each in expanded(tmp_path, APP).inputs}[tmp_path / "libs"] == ""
    write(tmp_path / "libs" / "deep" / "core", "core-lib")
    message = "`core-lib` is a member of the workspace, but has no matching entry in `[tool.uv.sources]`"
    assert problems(tmp_path, APP) == [f"app/pyproject.toml:4:17: {message}"]


def test_a_directory_that_a_glob_lists_is_an_input(tmp_path: Path) -> None:
    write(tmp_path, "root", more='[tool.uv.workspace]\nmembers = ["app", "libs/*"]\n')
    write(tmp_path / "app", "app")
    write(tmp_path / "libs" / "core", "core")
    before = {each.path: each.sha256 for each in expanded(tmp_path, APP).inputs}
    write(tmp_path / "libs" / "more", "more")
    after = {each.path: each.sha256 for each in expanded(tmp_path, APP).inputs}
    assert before[tmp_path / "libs"] != after[tmp_path / "libs"]


@pytest.mark.parametrize(
    ("workspace", "is_member"),
    [
        ('members = ["app", "libs/*"]', True),
        ('members = ["app", "lib*/co?e"]', True),
        ('members = ["app", "libs/./core"]', True),
        ('members = ["app", "app/../libs/*"]', True),
        ('members = ["app", "**"]', True),
        ('members = ["app", "lib?/co?"]', False),
        ('members = ["app", "libs"]', False),
        ('members = ["app", "libs/core/*"]', False),
        ('members = ["app", "libs/*"]\nexclude = ["libs/core"]', False),
        ('members = ["app", "libs/*"]\nexclude = ["libs"]', False),
        ('members = ["app", "libs/*"]\nexclude = ["**/core"]', False),
        ('members = ["app", "libs/*"]\nexclude = ["**/libs/core"]', False),
        ('members = ["app", "libs/*"]\nexclude = ["**"]', False),
        ('members = ["app", "libs/*"]\nexclude = ["core", "libs/cor", "libs/core/x"]', True),
        ('members = ["libs/*"]', False),  # uv looks no further, because the project is not a member
        ("members = 1", False),
    ],
)
def test_members_are_those_that_uv_finds(tmp_path: Path, workspace: str, is_member: bool) -> None:
    write(tmp_path, "root", more=f"[tool.uv.workspace]\n{workspace}\n")
    write(tmp_path / "app", "app", "core")
    write(tmp_path / "libs" / "core", "core")
    assert bool(problems(tmp_path, APP)) is is_member


def test_a_directory_outside_or_a_hidden_one_is_not_a_member(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    write(inside, "root", more='[tool.uv.workspace]\nmembers = ["app", "../core", "*"]\n')
    write(inside / "app", "app", "core")
    for place in (tmp_path / "core", inside / ".core"):
        write(place, "core")
    assert problems(inside, APP) == []
    write(inside / "core", "core")
    assert len(problems(inside, APP)) == 1


def test_a_directory_without_a_pyproject_toml_is_a_project_if_it_has_a_setup_file(tmp_path: Path) -> None:
    write(tmp_path / "app", "app", "six", more='[tool.uv.sources]\nsix = { path = "../six" }\n')
    (tmp_path / "six").mkdir()
    message = "not a Python project: the directory has no `pyproject.toml`, `setup.py` or `setup.cfg`"
    assert problems(tmp_path, APP) == [f"app/pyproject.toml:6:1: {message}"]
    for name in ("setup.py", "setup.cfg"):
        (tmp_path / "six" / name).touch()
        assert problems(tmp_path, APP) == []
        (tmp_path / "six" / name).unlink()


def test_the_closest_workspace_counts(tmp_path: Path) -> None:
    write(tmp_path, "root", more='[tool.uv.workspace]\nmembers = ["app", "core"]\n')
    write(tmp_path / "core", "core")
    write(tmp_path / "app", "app", "core", more="[tool.uv.workspace]\n")
    assert problems(tmp_path, APP) == []


def requirements(directory: Path) -> list[tuple[str, str, str]]:
    """Return the text, the name and the place of each requirement that is added, with paths from `directory`."""
    [environment] = expanded(directory, APP).environments
    return [(each.text, each.name, each.source.removeprefix(f"{directory}/")) for each in environment.requirements]


def test_a_project_that_a_file_url_names_may_have_sources_itself(tmp_path: Path) -> None:
    core = write(tmp_path / "core", "core", "six", more='[tool.uv.sources]\nsix = { path = "../six" }\n')
    write(tmp_path / "six", "six")
    write(tmp_path / "app", "app", f"core[x] @ {core.as_uri()} ; os_name == 'posix'")
    assert requirements(tmp_path) == [('./six ; os_name == "posix"', "six", "core/pyproject.toml:6:1")]
    write(tmp_path / "app", "app", f"core @ {(tmp_path / 'missing').as_uri()}")
    assert requirements(tmp_path) == []


def test_each_source_in_a_project_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    sources = 'core = { path = "../core" }\nmore = { path = "../core" }\n'
    write(tmp_path / "app", "app", "core", "more", more=f"[tool.uv.sources]\n{sources}")
    (write(tmp_path / "core", "core") / "pyproject.toml").write_text("x = [")
    message = f"{tmp_path}/core/pyproject.toml: not valid TOML: Invalid value (at end of document)"
    assert problems(tmp_path, APP) == [f"app/pyproject.toml:{line}:1: {message}" for line in (6, 7)]


def test_an_entry_of_poetry_without_a_place_is_not_a_source(tmp_path: Path) -> None:
    sources = """six = [{version = "1"}, {path = "../six", markers = "os_name == 'nt'"}]\nidna = "^3"\n"""
    write(tmp_path / "app", "app", "six", "idna", more=f"[tool.poetry.dependencies]\n{sources}")
    write(tmp_path / "six", "six")
    assert requirements(tmp_path) == [('./six ; os_name == "nt"', "six", "app/pyproject.toml:6:25")]


def test_no_sources_means_that_uv_ignores_them_too(tmp_path: Path) -> None:
    more = '[tool.uv]\nno-sources = true\n[tool.uv.sources]\nsix = { path = "nowhere" }\n'
    write(tmp_path / "app", "app", "six", more=more)
    assert problems(tmp_path, APP) == []


def test_too_many_directories_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.manifest.uv_workspace.MOST_DIRECTORIES", 3)
    write(tmp_path / "app", "app", more='[tool.uv.workspace]\nmembers = ["**"]\n')
    for name in "abcd":
        (tmp_path / "app" / name).mkdir()
    [found] = problems(tmp_path, APP)
    assert "`tool.uv.workspace.members` matches more than 3 directories" in found
    write(tmp_path / "app", "app", more='[tool.uv.workspace]\nmembers = ["a"]\n')
    assert problems(tmp_path, APP) == []


def test_a_directory_of_wheels_is_an_index_with_a_file_url(tmp_path: Path) -> None:
    write(tmp_path / "app", "app", more='[tool.uv]\nfind-links = ["../my wheels"]\n')
    url = (tmp_path / "my wheels").as_uri()
    (tmp_path / "envs.yaml").write_text(HEAD + APP, encoding="utf-8")
    with pytest.raises(ManifestError) as caught:
        expand(load_manifest(tmp_path / "envs.yaml"))
    [problem] = caught.value.problems
    entry = str(problem.hint).partition("`: `")[2] or str(problem.hint).partition("manifest: `")[2]
    assert entry == f"{{name: other, url: {url}}}`"
    assert problems(tmp_path, f"indexes:\n  - {entry.removesuffix('`')}\n{APP}") == []


def test_an_index_is_compared_by_its_url(tmp_path: Path) -> None:
    declared = "indexes: [{name: one, url: 'https://a.example/simple'}]\n"
    for url, is_same in (
        ("https://A.example:443/simple/", True),
        ("https://user:secret@a.example/simple", True),
        ("http://a.example/simple", False),
        ("https://a.example/other", False),
        ("https://else.example/simple", False),
    ):
        write(tmp_path / "app", "app", more=f'[[tool.uv.index]]\nurl = "{url}"\n')
        assert (problems(tmp_path, declared + APP) == []) is is_same, url
    assert len(problems(tmp_path, APP)) == 1  # nothing says that the default index has this URL
    for key in ("index-url", "extra-index-url"):
        for url in ("https://a.example/simple", "https://else.example/simple"):
            value = f'"{url}"' if key == "index-url" else f'["{url}"]'
            write(tmp_path / "app", "app", more=f"[tool.uv]\n{key} = {value}\n")
            assert (problems(tmp_path, declared + APP) == []) is (url == "https://a.example/simple"), (key, url)
    for kind in ("poetry", "pdm"):
        write(tmp_path / "app", "app", more=f'[[tool.{kind}.source]]\nname = "x"\nurl = "https://a.example/simple"\n')
        assert problems(tmp_path, declared + APP) == []
        assert len(problems(tmp_path, APP)) == 1


@pytest.mark.parametrize(
    ("source", "indexes"),
    [
        ('name = "PyPI"', 0),  # Poetry's name of the default index
        ('name = "internal"', 1),
        ('name = "pypi"\nurl = "https://a.example/simple"', 1),
    ],
)
def test_a_source_of_poetry_is_an_index_unless_it_is_the_default_one(tmp_path: Path, source: str, indexes: int) -> None:
    write(tmp_path / "app", "app", more=f"[[tool.poetry.source]]\n{source}\n")
    assert len(problems(tmp_path, APP)) == indexes


def test_an_invalid_url_of_an_index_is_shown_without_its_credentials(tmp_path: Path) -> None:
    write(tmp_path / "app", "app", more='[[tool.uv.index]]\nurl = "https://user:secret@[x/simple"\n')
    (tmp_path / "envs.yaml").write_text(HEAD + APP, encoding="utf-8")
    with pytest.raises(ManifestError) as caught:
        expand(load_manifest(tmp_path / "envs.yaml"))
    [problem] = caught.value.problems
    assert "url: https://****@[x/simple" in str(problem.hint)
    assert "secret" not in f"{problem.message}{problem.hint}"


VALUES = st.recursive(
    st.sampled_from([True, False, 1, 1.5, "", "six", "../x", "https://a.example/x", "-e .", "\x1b", "a b", ">=1"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["six", "path", "git", "url", "index", "workspace", "marker", "members", "name", "", "é"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)
KEYS = [
    "tool.uv." + each for each in ("sources", "workspace", "index", "index-url", "override-dependencies", "prerelease")
]
KEYS += ["tool.poetry.dependencies", "tool.poetry.source", "tool.pdm.source", "tool.pdm.resolution", "tool.uv", "tool"]


def toml(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{json.dumps(key)} = {toml(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case _:
            return json.dumps(value)


@settings(max_examples=150)
@given(key=st.sampled_from(KEYS), value=VALUES, static=st.booleans())
def test_a_value_of_any_type_is_an_error_and_no_crash(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: Any, static: bool
) -> None:
    directory = tmp_path_factory.mktemp("project")
    (directory / "app").mkdir()
    head = '[project]\nname = "app"\nversion = "1"\n'
    text = head + ('dependencies = ["six"]\n' if static else 'dynamic = ["dependencies"]\n')
    inside = f"{key} = {toml(value)}\n" + text
    (directory / "app" / "pyproject.toml").write_text(inside, encoding="utf-8")
    for each in problems(directory, APP):
        assert "\x1b" not in each
    shutil.rmtree(directory)
