"""What the build files of a project name: files, neighbors, other projects, data, and the files that a build writes."""

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from reconciler.lock.build_paths import data_files, generated_files, named_paths, named_words, without_package_contents
from reconciler.manifest.setup_cfg import parse_setup_cfg

FILES = (
    "project/own.py", "project/README.md", "project/a b.txt", "project/docs/x.md", "project/docs/__pycache__/x.pyc",
    "project/docs/deep/y.md", "project/sub/setup.py", "project/LICENSE.txt", "core/pyproject.toml", "core/core.py",
    "shared/x.txt", "near.txt",
)  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project next to a different one (`core`), and to other files."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path / "project"


def shown(directory: Path, paths: Iterable[Path]) -> str:
    return " ".join(sorted(os.path.relpath(each, directory) for each in paths))


@pytest.mark.parametrize(
    ("pyproject", "setup_cfg", "program", "expected"),
    [
        ("", "", "", ("", "", "")),
        ("[project]\nreadme = 'README.md'\n", "", "", ("README.md", "", "")),
        ("[project]\nreadme = '/README.md'\n", "", "", ("README.md", "", "")),
        ("[project]\nreadme = 'file: README.md'\n", "", "", ("README.md", "", "")),
        ("[project]\nreadme = 'gone.md'\n", "", "", ("", "", "")),
        ("[project]\nreadme = 'docs'\n", "", "", ("", "", "")),
        ("[project]\nreadme = '.'\n", "", "", ("", "", "")),
        (f"[project]\nreadme = '{'x' * 5000}'\n", "", "", ("", "", "")),
        ("[tool.own]\nreadme = '''README.md\n'''\n", "", "", ("README.md", "", "")),
        ("[tool.own]\nreadme = '''README.md\nown.py'''\n", "", "", ("", "", "")),
        ("[tool.own]\nreadme = \"README\\u0000.md\"\n", "", "", ("", "", "")),
        ("[tool.own]\n'README.md' = 1\n", "", "", ("README.md", "", "")),
        ("[tool.own]\nroot = '..'\n", "", "", ("", "", "")),
        ("[tool.own]\nx = '../near.txt'\ny = '../shared'\n", "", "", ("../near.txt", "../near.txt ../shared", "")),
        ("[tool.own]\nx = '../core'\n", "", "", ("", "../core", "")),
        ("[tool.own.dependencies]\ncore = {path = '../core'}\n", "", "", ("", "", "../core")),
        ("[tool.own.dependencies]\ncore = {path = 'sub'}\n", "", "", ("", "", "sub")),
        ("[tool.own.dependencies]\nx = {path = '../shared'}\n", "", "", ("", "../shared", "")),
        ("[project]\ndependencies = ['core @ file:../core']\n", "", "", ("", "", "../core")),
        ("[project]\ndependencies = ['x @ file://a%20b.txt ; os_name == \"nt\"']\n", "", "", ("a b.txt", "", "")),
        ("", "[metadata]\nlong_description = file: README.md, own.py\n", "", ("README.md own.py", "", "")),
        ("", "[options]\nx =\n  README.md\n  ../core\n", "", ("README.md", "../core", "")),
        ("", "", "open('../near.txt')\nopen(\"../shared\")\nopen('own.py')\n# ../core\n",
         ("../near.txt", "../near.txt ../shared", "")),
    ],
)  # fmt: skip
def test_strings_of_build_files_name_files_neighbors_and_projects(
    pyproject: str, setup_cfg: str, program: str, expected: tuple[str, str, str], project: Path
) -> None:
    found = named_paths(project, tomllib.loads(pyproject), parse_setup_cfg(setup_cfg), [program])
    assert tuple(shown(project, each) for each in found) == expected


@pytest.mark.parametrize(
    ("pyproject", "setup_cfg", "expected"),
    [
        ("", "", ""),
        ("[project]\nlicense-files = ['LICENSE*', 'gone', 'README.md']\n", "", "LICENSE.txt README.md"),
        ("[project]\nlicense-files = ['']\n[tool.setuptools]\nlicense-files = ['.', '/']\n", "", ""),
        ("[tool.setuptools]\nlicense-files = ['/LICENSE.txt ']\n", "", "LICENSE.txt"),
        ("[tool.setuptools.data-files]\n'share' = ['docs/*.md', 'a b.txt']\n", "", "a b.txt docs/x.md"),
        ("[tool.flit.external-data]\ndirectory = 'docs'\n", "", "docs/deep/y.md docs/x.md"),
        ("[tool.uv.build-backend.data]\nscripts = 'docs/deep'\n", "", "docs/deep/y.md"),
        ("[tool.hatch.build.force-include]\n'../near.txt' = 'x'\n", "", "../near.txt"),
        ("[tool.hatch.build.targets.wheel.shared-data]\n'docs/deep' = 'own.py'\n", "", "docs/deep/y.md"),
        ("[tool.hatch.build.targets.wheel.shared-scripts]\n'own.py' = 'x'\n", "", "own.py"),
        ("[tool.hatch.build.targets.wheel.extra-metadata]\n'own.py' = 'x'\n", "", "own.py"),
        ("[tool.hatch.build.targets.wheel.other]\n'own.py' = 'x'\n", "", ""),
        ("", "[options.data_files]\nshare = own.py, docs/x.md\n  LICENSE.txt\n", "LICENSE.txt docs/x.md own.py"),
        ("", "[metadata]\nlicense_files =\n  LICENSE.txt\n  README.md, own.py\n", "LICENSE.txt README.md own.py"),
        ("", "[metadata]\nname = own.py\n", ""),
    ],
)
def test_licenses_and_data_files_are_named_by_file_directory_or_pattern(
    pyproject: str, setup_cfg: str, expected: str, project: Path
) -> None:
    assert shown(project, data_files(project, tomllib.loads(pyproject), parse_setup_cfg(setup_cfg))) == expected


@pytest.mark.parametrize(
    ("pyproject", "expected"),
    [
        ("", set()),
        ("[tool.own]\nwrite_to = 'v.py'\n", {"v.py", "src/v.py"}),
        ("[tool.own]\nversion_file = './a/../v.py'\nwrite_to = 1\n", {"v.py", "src/v.py"}),
        ("[[tool.own]]\nwrite_to = 'v.py'\n", {"v.py", "src/v.py"}),
        ("[tool.own.write_to]\nversion-file = 'v.py'\n", {"v.py", "src/v.py"}),
        ("[tool.pdm.build]\npackage-dir = 'lib'\n[tool.own]\nwrite_to = 'v.py'\n", {"v.py", "src/v.py", "lib/v.py"}),
        ("[tool.own]\nother = 'v.py'\n", set()),
    ],
)
def test_the_files_that_a_build_writes_are_named_by_a_few_keys(pyproject: str, expected: set[str]) -> None:
    assert generated_files(tomllib.loads(pyproject)) == expected


def test_words_are_the_parts_of_paths_in_build_files() -> None:
    texts: Mapping[str, str] = {
        "setup.cfg": "[options]\npackages = own, other.sub\n",
        "setup.py": "setup(name='x', y=[\"a/b\"])\n",
        "MANIFEST.in": "graft /docs/*.md\n",
        "hatch.toml": "not = 'read'\n",
    }
    assert named_words(texts, {"tool": {"k": ["src/v", "w"], "write_to": "generated"}}) == {
        *("options", "packages", "own", "other.sub", "setup", "name", "x", "y", "a", "b", "graft", "docs", "*.md"),
        *("tool", "k", "src", "v", "w"),
    }


def test_no_metadata_comes_from_what_poetry_packages() -> None:
    poetry = {"name": "own", "packages": [1], "include": [2], "exclude": [3], "readme": "R"}
    tables = {"project": {"name": "own"}, "tool": {"other": {"packages": 1}, "poetry": poetry}}
    assert without_package_contents(tables) == {
        "project": {"name": "own"},
        "tool": {"other": {"packages": 1}, "poetry": {"name": "own", "readme": "R"}},
    }
