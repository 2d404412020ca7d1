"""Make a symbolic link; an error names the link, where the system's own would name the text of the link first."""

import os
from pathlib import Path

from reconciler.fs.sync import naming


def make_symlink(text: str, path: Path) -> None:
    """Make the symbolic link `path` with a text. Raises OSError with the link's path, or FileExistsError."""
    with naming(path):
        os.symlink(text, path)  # noqa: PTH211  # a text, not always a path
