"""The measured tools: installed from the index below the work directory, envsync itself from the checkout."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

_CHECKOUT = Path(__file__).parents[1]
_KEPT = ("PATH", "LANG", "USER", "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Absolute paths: envsync as users install it, its Python, its uv, and the other tools (None: not measured).

    `base` is the interpreter for every environment.
    """

    base: Path
    python: Path
    envsync: Path
    uv: Path
    pip: Path | None = None
    pip_sync: Path | None = None
    venvs: Path | None = None

    def version(self, program: Path | None) -> str:
        """Return the version that a tool prints, or an empty text if it is not measured."""
        if program is None:
            return ""
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        return next(word for word in done.stdout.replace(",", " ").split() if word[0].isdigit())


def clean_environment(home: Path, tools: Path) -> dict[str, str]:
    """Return the variables of measured commands: an empty home, no PIP_*, UV_* or PYTHON*, no virtual environment."""
    found = {name: os.environ[name] for name in _KEPT if name in os.environ}
    home.mkdir(parents=True, exist_ok=True)
    return {**found, "HOME": str(home), "PATH": f"{tools / 'envsync/bin'}:{found.get('PATH', '/usr/bin:/bin')}"}


def base_interpreter() -> Path:
    """Return the base interpreter of this virtual environment, with all links resolved."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def tools_of_this_environment() -> Tools:
    """Return the tools of the environment that runs this: only envsync and uv."""
    here = Path(sys.executable)
    return Tools(base=base_interpreter(), python=here, envsync=here.with_name("envsync"), uv=Path(find_uv_bin()))


def install_tools(directory: Path, base: Path) -> Tools:
    """Install every tool into a virtual environment of its own below `directory`, with compiled bytecode.

    Existing environments are kept, except that of envsync, which is built from the checkout each time.
    """
    wheels = directory / "wheels"
    for old in wheels.glob("*.whl"):
        old.unlink()
    _uv("build", "--wheel", "--out-dir", str(wheels), str(_CHECKOUT))
    (wheel,) = wheels.glob("*.whl")
    envsync = _install(directory / "envsync", base, [str(wheel), "--reinstall-package", "envsync-reconciler"])
    return Tools(
        base=base,
        python=envsync / "python",
        envsync=envsync / "envsync",
        uv=envsync / "uv",
        pip=_install(directory / "pip", base, ["pip"]) / "pip",
        pip_sync=_install(directory / "pip-tools", base, ["pip-tools", "pip"]) / "pip-sync",
        venvs=_install(directory / "venvs", base, ["venvs"]) / "venvs",
    )


def _install(venv: Path, base: Path, requirements: list[str]) -> Path:
    """Install requirements into a virtual environment; return the directory of its programs."""
    if not (venv / "pyvenv.cfg").is_file():
        _uv("venv", "-p", str(base), str(venv))
    _uv("pip", "install", "--compile-bytecode", "-p", str(venv / "bin/python"), *requirements)
    return venv / "bin"


def _uv(*arguments: str) -> None:
    """Run uv with the settings of this user: index, credentials, cache."""
    subprocess.run([find_uv_bin(), "--system-certs", "--no-progress", "--quiet", *arguments], check=True)
