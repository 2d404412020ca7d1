"""The top of the git repository around a directory. Imports only modules that load fast.

Anything called `.git` counts, also a link to a missing file, whether git would accept it or not: in a doubt, the
repository is smaller, and so is what its manifest may read.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


def repository_top(directory: str) -> str | None:
    """Return the nearest directory with a `.git`, from `directory` (absolute) upwards, None if there is none.

    So it is the top of a submodule or of a linked working tree if the directory is in one.
    """
    while True:  # no pathlib here
        if os.path.lexists(f"{directory.rstrip('/')}/.git"):
            return directory
        above = os.path.dirname(directory)  # noqa: PTH120
        if above == directory:
            return None
        directory = above


def repository_of(directory: Path) -> Path | None:
    """Return the same as `repository_top`, as a path."""
    top = repository_top(str(directory))
    return None if top is None else type(directory)(top)
