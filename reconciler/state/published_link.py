"""The symlink at an environment's path: its text says which generation is published (design, section 8).

Imports nothing that takes time: `run` reads it before every service start.
"""

from __future__ import annotations

import os

_VENV = "/venv"


def link_target(name: str, number: int) -> str:
    """Return the text of the symlink that publishes a generation: relative, so that it says what it means."""
    return f".envsync/generations/{name}/{number}{_VENV}"


def published_number(root: str, name: str) -> int:
    """Return the generation that an environment's path points to, 0 if it is not our symlink."""
    try:
        target = os.readlink(f"{root}/{name}")  # noqa: PTH115  # the text itself, not a Path
    except OSError:
        return 0
    digits = target.removeprefix(f".envsync/generations/{name}/").removesuffix(_VENV)
    number = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 20 else 0
    return number if number and target == link_target(name, number) else 0
