"""Checks the file that `--out` names before the work for it begins."""

import os
from pathlib import Path

from reconciler.backticks import in_backticks
from reconciler.cli.options import as_typed
from reconciler.errors import UsageError


def check_output_file(file: Path) -> None:
    """Raise UsageError if `file` is not a regular file, or if its directory does not exist."""
    if os.path.lexists(file) and (file.is_symlink() or not file.is_file()):
        raise UsageError(f"{as_typed('--out', str(file))}: must be a regular file", hint="name a different file")
    directory = file.parent
    if not directory.is_dir():
        raise UsageError(
            f"{as_typed('--out', str(file))}: the directory {in_backticks(str(directory))} does not exist",
            hint="create the directory, or name a file in an existing one",
        )
