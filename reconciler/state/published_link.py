"""Reads which generation is published from the symbolic link at an environment's path; `apply/publish.py` writes it.

See docs/design.md, "On disk". Imports only modules that load fast, because `run` reads it before every service start.
"""

from __future__ import annotations

import os

_VENV = "/venv"


def link_target(name: str, number: int) -> str:
    """Return the text of the symbolic link that publishes a generation, relative to the root."""
    return f".envsync/generations/{name}/{number}{_VENV}"


def published_number(root: str, name: str) -> int:
    """Return the number of the generation that an environment's path points to, 0 if it is not our symbolic link."""
    try:
        target = os.readlink(f"{root}/{name}")  # noqa: PTH115  # the text itself, not a Path
    except OSError:
        return 0
    digits = target.removeprefix(f".envsync/generations/{name}/").removesuffix(_VENV)
    number = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 20 else 0
    return number if number and target == link_target(name, number) else 0
