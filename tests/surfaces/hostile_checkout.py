"""Fills a checkout with files that leave a mark if a program of a job executes or obeys them."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.host import base_environment

# Modules that the steps of a job start or import. Those of the standard library are planted too.
MODULES = (
    "pip",
    "reconciler",
    "envsync",
    "sitecustomize",
    "usercustomize",
    "hatchling",
    "uv",
    "yaml",
    "setup",
    "conftest",
)
PACKAGES = ("reconciler", "pip", "venv", "ensurepip", "hatchling", "packaging")
PROGRAMS = ("python3", "python", "pip", "git", "uv", "bash", "envsync", "mkdir", "rm")
# Directories in which an installation of a previous job, or of this one, is expected.
PLACES = (".venv", ".venv-envsync", "venv", ".envs/web", ".tmp/envsync/venv")
CLOSED = "http://127.0.0.1:9"  # nothing listens there
CONFIGURATION = {
    "pip.conf": f"[global]\nindex-url = {CLOSED}/pip-conf\n[install]\ntarget = pip-target\n",
    "pip/pip.conf": f"[global]\nindex-url = {CLOSED}/pip-conf\n",
    "uv.toml": f'index-url = "{CLOSED}/uv-toml"\n',
    ".netrc": "default login canary password canary\n",
    ".pydistutils.cfg": "[install]\nprefix = pydistutils\n",
    "setup.cfg": "[install]\nprefix = setup-cfg\n",
    ".python-version": "3.8\n",
    ".gitconfig": "[core]\n\tfsmonitor = ./git\n\thooksPath = .\n",
    ".env": f"PIP_INDEX_URL={CLOSED}/env\n",
    "requirements.txt": "canary @ file:.\n",
}
PYPROJECT = """\
[project]
name = "canary"
dynamic = ["version", "dependencies"]
[build-system]
requires = []
build-backend = "setup"
backend-path = ["."]
[tool.uv.pip]
index-url = "http://127.0.0.1:9/pyproject"
"""


@dataclass(frozen=True, kw_only=True)
class HostileCheckout:
    """A checkout full of canaries; each one that is executed leaves its name in `marks`."""

    directory: Path
    marks: Path

    def executed(self) -> set[str]:
        """Return the paths, relative to the checkout, of the canaries that were executed."""
        lines = self.marks.read_text().splitlines() if self.marks.exists() else []
        return {str(Path(line).relative_to(self.directory)) for line in lines}

    def variables(self) -> Mapping[str, str]:
        """Return variables that a workflow may have set for its other steps, and that name the checkout."""
        directory = str(self.directory)
        return {
            "PYTHONPATH": directory,
            "PYTHONUSERBASE": directory,
            "PYTHONSTARTUP": f"{directory}/sitecustomize.py",
            "PYTHONPYCACHEPREFIX": directory,
            "PIP_CONFIG_FILE": f"{directory}/pip.conf",
            "PIP_FIND_LINKS": directory,
            "PIP_REQUIREMENT": f"{directory}/requirements.txt",
            "PIP_TARGET": f"{directory}/target",
            "PIP_NO_BUILD_ISOLATION": "0",
            "UV_CONFIG_FILE": f"{directory}/uv.toml",
            "UV_PYTHON": f"{directory}/python3",
            "VIRTUAL_ENV": f"{directory}/.venv",
            "PATH": f"{Path(sys.executable).parent}:{base_environment()['PATH']}:.:{directory}",
        }


def fill(directory: Path, marks: Path) -> HostileCheckout:
    """Plant canaries in a checkout: modules, programs, environments, and files of configuration."""
    python = f"with open({str(marks)!r}, 'a') as file:\n    file.write(__file__ + chr(10))\n"  # imports nothing itself
    program = f"#!/bin/sh\necho {directory}/NAME >>'{marks}'\nexit 1\n"

    def plant(name: str, text: str, *, executable: bool = False) -> None:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("NAME", name))
        if executable:
            path.chmod(0o755)

    for module in {*MODULES, *sys.stdlib_module_names}:
        plant(f"{module}.py", python)
    for package in PACKAGES:
        for part in ("__init__", "__main__"):
            plant(f"{package}/{part}.py", python)
    for name in PROGRAMS:
        plant(name if not (directory / name).is_dir() else f"{name}/{name}", program, executable=True)
    for place in PLACES:
        plant(f"{place}/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = true\nversion = 3.11.0\n")
        plant(f"{place}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages/sitecustomize.py", python)
        for name in ("python", "python3", "pip", "envsync"):
            plant(f"{place}/bin/{name}", program, executable=True)
    for name, text in {**CONFIGURATION, "pyproject.toml": PYPROJECT}.items():
        plant(name, text)
    return HostileCheckout(directory=directory, marks=marks)
