"""Whether code of a project takes part in its build, so that the tables alone do not say what a wheel contains."""

import pytest

from reconciler.lock.build_programs import has_program

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
