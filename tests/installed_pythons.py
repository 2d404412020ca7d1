"""The Python interpreters of this machine, for tests that need several; none is started to find them."""

import os
import shutil
from pathlib import Path

SERIES = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")


def interpreters() -> dict[str, Path]:
    """Return an interpreter for each series (`3.12`) that exists: the newest of pyenv, otherwise the one on PATH."""
    found = {}
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for series in SERIES:
        versions = sorted(
            pyenv.glob(f"{series}.*/bin/python{series}"), key=lambda path: int(path.parts[-3].split(".")[2])
        )
        on_path = shutil.which(f"python{series}")
        if versions:
            found[series] = versions[-1]
        elif on_path and ".pyenv/shims" not in on_path:
            found[series] = Path(on_path)
    return found
