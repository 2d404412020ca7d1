"""Whether code of a project takes part in its build, so that the tables alone do not say what a wheel contains."""

import tomllib
from pathlib import Path

import pytest

from reconciler.lock.build_programs import asks_version_control, has_program, own_backend

SETUP = "from setuptools import setup, find_packages\n"


@pytest.mark.parametrize(
    "text",
    [
        f"{SETUP}setup(name='own', packages=find_packages())\n",
        "import setuptools\nsetuptools.setup()\n",
        "'''Only for old tools.'''\nfrom setuptools import setup\nif __name__ == '__main__':\n    setup()\n",
    ],
)
def test_a_setup_py_that_only_calls_setup_is_not_a_program(text: str) -> None:
    assert not has_program("setuptools", {"setup.py": text}, {})


@pytest.mark.parametrize(
    "text",
    [
        "def setup(:\n",
        f"import os\n{SETUP}setup()\n",
        f"import setuptools, os\n{SETUP}setup()\n",
        f"{SETUP}async def build(): pass\n",
        f"from os import environ\n{SETUP}setup()\n",
        f"from .version import VERSION\n{SETUP}setup()\n",
        f"{SETUP}setup(version=open('VERSION').read())\n",
        f"{SETUP}setup(version=VERSION.read())\n",
        f"{SETUP}make()()\n",
        f"{SETUP}[setup][0]()\n",
        f"{SETUP}def version(): return '1'\n",
        f"{SETUP}class Build: pass\n",
        f"{SETUP}with x: setup()\n",
    ],
)
def test_any_other_setup_py_is_a_program(text: str) -> None:
    assert has_program("setuptools", {"setup.py": text}, {})


@pytest.mark.parametrize(
    ("backend", "pyproject", "file", "has"),
    [
        ("setuptools", "", "", False),
        ("setuptools", "", "setup.cfg=[global]\ncmdclass = own.Build\n", True),
        ("setuptools", "", "setup.cfg=[options]\n", False),
        ("setuptools", "[tool.setuptools.cmdclass]\nbuild = 'own.Build'\n", "", True),
        ("setuptools", "[tool.setuptools]\nzip-safe = false\n", "", False),
        ("hatchling", "", "", False),
        ("hatchling", "[tool.hatch.build.hooks.vcs]\n[tool.hatch.build.targets.wheel.hooks.version]\n", "", False),
        ("hatchling", "[tool.hatch.build.hooks.vcs]\n[tool.hatch.build.hooks.own]\n", "", True),
        ("hatchling", "[tool.hatch.build.targets.wheel.hooks.own]\n", "", True),
        ("pdm", "", "", False),
        ("pdm", "", "pdm_build.py=", True),
        ("pdm", "[tool.pdm.build]\ncustom-hook = 'h.py'\n", "", True),
        ("pdm", "[tool.pdm.version]\nsource = 'call'\n", "", True),
        ("pdm", "[tool.pdm.version]\nsource = 'scm'\n", "", False),
        ("poetry", "[tool.poetry]\nname = 'own'\n", "", False),
        ("poetry", "[tool.poetry]\nbuild = 'build.py'\n", "", True),
        ("poetry", "", "setup.py=import os\n", False),
        ("flit_core", "", "setup.py=import os\n", False),
        ("uv_build", "", "", False),
        ("own", "", "", True),
        ("", "", "", True),
    ],
)
def test_each_backend_has_its_programs(backend: str, pyproject: str, file: str, has: bool) -> None:
    name, _, text = file.partition("=")
    assert has_program(backend, {name: text} if name else {}, tomllib.loads(pyproject)) is has


@pytest.mark.parametrize(
    ("pyproject", "texts", "asks"),
    [
        ('[build-system]\nrequires = ["setuptools-scm"]\n', [], True),
        ('[build-system]\nrequires = ["setuptools", "hatch-vcs"]\n', [], True),
        ('[build-system]\nrequires = ["setuptools"]\n[project]\nname = "scm"\n', [], False),
        ("[tool.versioningit]\n", [], True),
        ('[tool.own]\nsource = {git = "https://git.example/own"}\n', [], False),
        ('[tool.own]\nsource = ["run git describe"]\n', [], True),
        ("", ["setup.cfg"], True),
        ("", ["setup.py"], True),
        ("", ["MANIFEST.in"], False),
        ('[build-system]\nbuild-backend = "own.sub:make"\nbackend-path = ["build", "."]\n', [], True),
        ('[build-system]\nbuild-backend = "own.sub:make"\nbackend-path = ["."]\n', [], False),
        ('[build-system]\nbuild-backend = "own.sub:make"\n', [], False),
    ],
)
def test_a_build_asks_version_control(pyproject: str, texts: list[str], asks: bool, tmp_path: Path) -> None:
    (tmp_path / "build/own/sub").mkdir(parents=True)
    (tmp_path / "build/own/sub/__init__.py").write_text("import dunamai\n")
    tables = tomllib.loads(pyproject)
    assert asks_version_control(tmp_path, dict.fromkeys(texts, "run(['git'])"), tables) is asks


def test_the_text_of_a_backend_in_the_project_is_that_of_its_module_or_package(tmp_path: Path) -> None:
    for name in ("one/own.py", "two/own/__init__.py", "three/own.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(name)
    system = {"build-backend": "own:make", "backend-path": ["one", "two"]}
    assert own_backend(tmp_path, {"build-system": system}) == ["one/own.py", "", "", "two/own/__init__.py"]
    assert own_backend(tmp_path, {}) == []
