"""Copies a directory that cannot be moved: overlayfs answers EXDEV for one that a lower layer of an image contains."""

from pathlib import Path

from reconciler.errors import ApplyError
from reconciler.fs.os_error_hint import SPACE_HINT
from reconciler.fs.remove_tree import remove_tree
from reconciler.fs.sync import sync_filesystem
from reconciler.processes.child import run_child

_TIMEOUT_SECONDS = 3600.0
_UNFINISHED = "copied"


def copy_directory(source: Path, copy: Path, beside: Path) -> None:
    """Copy a directory with its modes, owners, times, links and extended attributes, and flush the copy to disk.

    `copy` must not exist, and appears when it is complete; until then it is called `copied` in the directory `beside`.
    Raises ApplyError or OSError; then nothing is left.
    """
    unfinished = beside / _UNFINISHED
    clear_unfinished_copy(beside)
    try:
        _copy(source, unfinished)
        sync_filesystem(beside)
        unfinished.rename(copy)
    except (ApplyError, OSError):
        clear_unfinished_copy(beside)
        raise


def _copy(source: Path, copy: Path) -> None:
    done = run_child(
        ["cp", "-a", "--", str(source), str(copy)],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        cwd=Path("/"),
        timeout=_TIMEOUT_SECONDS,
    )
    if not done.ok:
        raise ApplyError(f"`{source}` could not be copied", hint=SPACE_HINT, details=done.last_lines())


def clear_unfinished_copy(directory: Path) -> None:
    """Delete what a killed run left of a copy; raises OSError."""
    remove_tree(directory, _UNFINISHED)
