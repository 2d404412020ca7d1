"""The files that a build backend reads dynamic metadata from: of all fields, and only of the dependencies."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.lock.dynamic_metadata import DEPENDENCIES, DynamicMetadata
from reconciler.manifest.setup_cfg import parse_setup_cfg

ANY = "any file"
VERSION = '[project]\ndynamic = ["version"]\n'
DYNAMIC = '[project]\ndynamic = ["version", "dependencies", "optional-dependencies"]\n'
SETUPTOOLS = "[tool.setuptools.dynamic]\n"
ATTRIBUTE = f'{VERSION}{SETUPTOOLS}version = {{attr = "own.value"}}\n'
HOOKS = "[tool.hatch.metadata.hooks."

# By what is special: the backend, the text of pyproject.toml and other files, the files of all fields, and those of the
# dependencies.
CASES: Mapping[str, tuple[str, str, Mapping[str, str], str, str]] = {
    "static": ("setuptools", "[project]\nname = 'own'\n", {}, "", ""),
    "not a list of strings": ("setuptools", "[project]\ndynamic = [1, ['version']]\n", {}, "", ""),
    "other fields": (
        "setuptools",
        f'[project]\ndynamic = ["readme"]\n{SETUPTOOLS}readme = {{file = ["R.md", "S.md"]}}\n',
        {},
        "R.md S.md",
        "",
    ),
    "files": (
        "setuptools",
        f"""{DYNAMIC}{SETUPTOOLS}version = {{file = "V"}}
dependencies = {{file = ["a.txt", "b.txt"]}}
optional-dependencies = {{web = {{file = ["web.txt"]}}}}
""",
        {},
        "V a.txt b.txt web.txt",
        "a.txt b.txt web.txt",
    ),
    "setup.cfg without a table": (
        "setuptools",
        "",
        {
            "setup.cfg": "[metadata]\nversion = file: V\n[options]\ninstall_requires = file: a.txt, b.txt\n"
            "[options.extras_require]\nweb = file: web.txt\nplain = x>=1\n"
        },
        "V a.txt b.txt web.txt",
        "a.txt b.txt web.txt",
    ),
    "setup.cfg without extras": (
        "setuptools",
        "",
        {"setup.cfg": "[metadata]\nversion = 1\n[options]\ninstall_requires = file: a.txt\n"},
        "a.txt",
        "a.txt",
    ),
    "setup.cfg: extras are not read for dependencies": (
        "setuptools",
        f'{VERSION}[tool.own]\nversion = {{file = "X"}}\n',
        {"setup.cfg": "[metadata]\nversion = attr: own.value\n[options.extras_require]\na = file: a.txt\n"},
        "own.py",
        "",
    ),
    "nothing says where": ("setuptools", DYNAMIC, {}, "", ""),
    "a setup.py that reads": ("setuptools", VERSION, {"setup.py": "setup(version=open('V').read())\n"}, ANY, ""),
    "a literal": ("setuptools", ATTRIBUTE, {}, "own.py", ""),
    "an annotated literal": ("setuptools", ATTRIBUTE, {"own.py": "value: str\nvalue: str = '1'\n"}, "own.py", ""),
    "after other statements": (
        "setuptools",
        ATTRIBUTE,
        {"own.py": "import os\nother = os.name\nx, other = 1, 2\na.value = b\nmore = value = [1]\n"},
        "own.py",
        "",
    ),
    "computed": ("setuptools", ATTRIBUTE, {"own.py": "value = str(1)\nvalue = '1'\n"}, ANY, ""),
    "a key that has no hash": ("setuptools", ATTRIBUTE, {"own.py": "value = {[]: 1}\n"}, ANY, ""),
    "not there": ("setuptools", ATTRIBUTE, {"own.py": "def value(): pass\n"}, ANY, ""),
    "not Python": ("setuptools", ATTRIBUTE, {"own.py": "value = (\n"}, ANY, ""),
    "no module": ("setuptools", f'{VERSION}{SETUPTOOLS}version = {{attr = "gone.value"}}\n', {}, ANY, ""),
    "no name of a module": (
        "setuptools",
        f'{VERSION}{SETUPTOOLS}version = {{attr = "value"}}\n',
        {},
        "__init__.py",
        "",
    ),
    "a module of a package": (
        "setuptools",
        f'{VERSION}{SETUPTOOLS}version = {{attr = "pkg.sub.value"}}\n',
        {"src/pkg/sub.py": "value = 1\n", "src/pkg/sub/__init__.py": ""},
        "src/pkg/sub.py",
        "",
    ),
    "a package": (
        "setuptools",
        f'{VERSION}{SETUPTOOLS}version = {{attr = "pkg.value"}}\n',
        {"pkg/__init__.py": "value = 1\n", "src/pkg.py": ""},
        "pkg/__init__.py",
        "",
    ),
    "another directory of packages": (
        "setuptools",
        f'{ATTRIBUTE}[tool.setuptools.package-dir]\n"" = "lib"\n',
        {"lib/own.py": "value = 1\n"},
        "lib/own.py",
        "",
    ),
    "hatch": ("hatchling", VERSION, {}, "", ""),
    "hatch: a known source": ("hatchling", f'{VERSION}[tool.hatch.version]\nsource = "env"\n', {}, "", ""),
    "hatch: code": ("hatchling", f'{VERSION}[tool.hatch.version]\nsource = "code"\n', {}, ANY, ""),
    "hatch: nothing reads the dependencies": ("hatchling", DYNAMIC, {}, ANY, ANY),
    "hatch: hooks": ("hatchling", f"{DYNAMIC}{HOOKS}vcs]\n{HOOKS}requirements_txt]\n", {}, "", ""),
    "hatch: a hook of the project": ("hatchling", f"{DYNAMIC}{HOOKS}vcs]\n{HOOKS}custom]\n", {}, ANY, ANY),
    "flit": ("flit_core", '[project]\nname = "own"\ndynamic = ["version", "description"]\n', {}, "own.py", ""),
    "flit: computed": ("flit_core", f'{VERSION}name = "own"\n', {"own.py": "__version__ = f()\n"}, ANY, ""),
    "flit: only a docstring": (
        "flit_core",
        '[project]\nname = "own"\ndynamic = ["description"]\n',
        {"own.py": "'''Own.'''\n"},
        "own.py",
        "",
    ),
    "flit: its own table": ("flit_core", '[tool.flit.metadata]\nmodule = "own"\n', {}, "own.py", ""),
    "flit: no table": ("flit_core", "", {"__init__.py": ""}, ANY, "__init__.py"),
    "pdm: version control": ("pdm", f'{VERSION}[tool.pdm.version]\nsource = "scm"\n', {}, "", ""),
    "pdm: a file": ("pdm", f'{VERSION}[tool.pdm.version]\nsource = "file"\npath = "own.py"\n', {}, "", ""),
    "pdm: nothing says": ("pdm", VERSION, {}, ANY, ""),
    "pdm: a program": ("pdm", f'{VERSION}[tool.pdm.version]\nsource = "scm"\n', {"pdm_build.py": ""}, ANY, ""),
    "poetry": ("poetry", DYNAMIC, {}, "", ""),
    "poetry: its own table": ("poetry", '[tool.poetry]\nname = "own"\n', {}, "", ""),
    "uv": ("uv_build", VERSION, {}, ANY, ""),
    "another backend": ("own", DYNAMIC, {}, ANY, ANY),
    "another backend without tables": ("own", "", {}, ANY, ANY),
}
FIRST = {"own.py": "value = '1'\n__version__ = '1'\n", "__init__.py": "value = 1\n"}


@pytest.mark.parametrize("case", CASES)
def test_the_files_that_dynamic_metadata_is_read_from(case: str, tmp_path: Path) -> None:
    backend, pyproject, more, everything, dependencies = CASES[case]
    texts = {**FIRST, **more}
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    reader = DynamicMetadata(
        directory=tmp_path,
        texts={"pyproject.toml": pyproject, **more},
        tables=tomllib.loads(pyproject),
        setup_cfg=parse_setup_cfg(more.get("setup.cfg", "")),
        backend=backend,
    )

    def found(fields: frozenset[str] | None) -> str:
        files = reader.files_of(fields)
        return ANY if files is None else " ".join(sorted(os.path.relpath(each, tmp_path) for each in files))

    assert (found(None), found(DEPENDENCIES)) == (everything, dependencies)


def test_a_named_pipe_with_the_name_of_a_module_is_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "own.py")
    (tmp_path / "src").mkdir()
    (tmp_path / "src/own.py").write_text("value = 1\n")
    tables = tomllib.loads(ATTRIBUTE)
    reader = DynamicMetadata(
        directory=tmp_path, texts={}, tables=tables, setup_cfg=parse_setup_cfg(""), backend="setuptools"
    )
    assert reader.files_of(None) == frozenset({tmp_path / "src/own.py"})
