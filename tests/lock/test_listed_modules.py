"""The modules, packages and data files that a wheel is limited to, if build files list them."""

import tomllib

import pytest

from reconciler.lock.listed_data import listed_data, may_be_data
from reconciler.lock.listed_modules import listed_modules
from reconciler.manifest.setup_cfg import parse_setup_cfg

SETUP = "from setuptools import setup\n"
BUILD = "[build-system]\nrequires = "
PACKAGES = "[tool.setuptools]\npackages = "


@pytest.mark.parametrize(
    ("pyproject", "listed"),
    [
        ('[project]\nname = "own-app"\n', {"own_app", "own_app.py", "src/own_app", "src/own_app.py"}),
        ('[tool.flit.module]\nname = "a.b"\n', {"a/b", "a/b.py", "src/a/b", "src/a/b.py"}),
        ('[tool.flit.metadata]\nmodule = "c"\n[project]\nname = "d"\n', {"c", "c.py", "src/c", "src/c.py"}),
        ('[tool.flit]\nmodule.name = "a"\nmetadata.module = "b"\n', {"a", "a.py", "src/a", "src/a.py"}),
        ("", set()),
    ],
)
def test_a_wheel_of_flit_has_one_module(pyproject: str, listed: set[str]) -> None:
    assert listed_modules("flit_core", {}, tomllib.loads(pyproject), parse_setup_cfg(""), ["x"]) == frozenset(listed)


@pytest.mark.parametrize(
    ("pyproject", "setup_cfg", "setup", "lists"),
    [
        ("", "", "", False),
        (f"{PACKAGES}[]\n", "", "", False),
        (f'{PACKAGES}["own"]\n', "", "", True),
        (f'{PACKAGES}["own"]\npy-modules = []\n', "", "", True),
        ('[tool.setuptools]\npy-modules = ["own"]\n', "", "", True),
        (f'{PACKAGES}"own"\n', "", "", False),
        ("[tool.setuptools.packages.find]\n", "", "", False),
        (f'{PACKAGES}["own"]\n', "[options]\npackages = find:\n", "", False),
        ("", "[options]\npackages = find_namespace:\n", "", False),
        ("", "[options]\npackages =\n  own\n  sub\n", "", True),
        ("", "[options]\npackages =\npy_modules = own\n", "", True),
        ("", "[options]\npackages =\n", "", False),
        ("", "[options]\nzip_safe = no\n", "", False),
        ("", "", "setup(packages=['own'])", True),
        ("", "", "setup(py_modules=('own', 'sub'), version=v)", True),
        ("", "", "import setuptools\nsetuptools.setup(packages=['own'])", True),
        ("", "", "setup(version='1')", False),
        (f'{PACKAGES}["own"]\n', "", "setup(version='1')", True),
        (f'{PACKAGES}["own"]\n', "", "setup(packages=find_packages())", False),
        (f'{PACKAGES}["own"]\n', "", "setup(packages='own')", False),
        (f'{PACKAGES}["own"]\n', "", "setup(packages=['own', 1])", False),
        (f'{PACKAGES}["own"]\n', "", "setup(packages=5)", False),
        (f'{PACKAGES}["own"]\n', "", "setup('own')", False),
        (f'{PACKAGES}["own"]\n', "", "setup(packages=['own'], **more)", False),
        (f'{PACKAGES}["own"]\n', "", "setup()\nsetup()", False),
        (f'{PACKAGES}["own"]\n', "", "main()", False),
        (f'{PACKAGES}["own"]\n', "", "setup(", False),
        (f'{BUILD}["setuptools>=61", "Wheel", "setuptools_scm[toml]"]\n{PACKAGES}["own"]\n', "", "", True),
        (f'{BUILD}["setuptools", "a-plugin"]\n{PACKAGES}["own"]\n', "", "", False),
        ("", "[options]\npackages = own\nsetup_requires = a-plugin\n", "", False),
    ],
)
def test_setuptools_searches_for_nothing_if_everything_is_listed(
    pyproject: str, setup_cfg: str, setup: str, lists: bool
) -> None:
    texts = {"setup.cfg": setup_cfg} | ({"setup.py": SETUP + setup} if setup else {})
    words = ["own.deep", "sub"]
    found = listed_modules("setuptools", texts, tomllib.loads(pyproject), parse_setup_cfg(setup_cfg), words)
    assert found == ({"own", "own.py", "sub", "sub.py", "src"} if lists else None)


def test_other_backends_search() -> None:
    assert listed_modules("hatchling", {}, tomllib.loads(f'{PACKAGES}["own"]\n'), parse_setup_cfg(""), ["own"]) is None


@pytest.mark.parametrize(
    ("backend", "pyproject", "setup_cfg", "more", "patterns"),
    [
        ("setuptools", "", "", "", ()),
        ("setuptools", f'{BUILD}["setuptools", "wheel"]\n', "", "", ()),
        ("setuptools", f'{BUILD}["setuptools", "setuptools-scm"]\n', "", "", None),
        ("setuptools", "", "", "MANIFEST.in", None),
        ("setuptools", "", "", "setup.py", None),
        ("setuptools", "", "", "hatch.toml", ()),
        ("hatchling", "", "", "", None),
        (
            "setuptools",
            '[tool.setuptools.package-data]\n"*" = ["*.json"]\nown = ["a", "b"]\n',
            "[options.package_data]\nown = *.csv, a.txt\nother =\n  c\n  d e\n",
            "",
            ("*.json", "a", "b", "*.csv", "a.txt", "c", "d", "e"),
        ),
    ],
)
def test_data_files_are_listed_by_patterns(
    backend: str, pyproject: str, setup_cfg: str, more: str, patterns: tuple[str, ...] | None
) -> None:
    texts = {"setup.cfg": setup_cfg} | ({more: ""} if more else {})
    assert listed_data(backend, texts, tomllib.loads(pyproject), parse_setup_cfg(setup_cfg)) == patterns


@pytest.mark.parametrize(
    ("name", "pattern", "is_data"),
    [
        ("own/a.json", "*.json", True),
        ("own/a.json", "*.csv", False),
        ("own/a.py", "", True),
        ("own/py.typed", "", True),
        ("own/happy.typed", "", False),
        ("own/web/x.js", "web/**/*.js", True),
        ("own/web/deep/x.js", "web/**/*.js", True),
        ("own/x.js", "web/**/*.js", False),
        ("own/icons/a.svg", "./icons/*", True),
        ("own/a.JSON", "*.json", False),
    ],
)
def test_a_file_of_a_package_may_be_data(name: str, pattern: str, is_data: bool) -> None:
    assert may_be_data(name, [pattern] if pattern else []) is is_data
    assert may_be_data(name, ["other", *([pattern] if pattern else [])]) is is_data
