"""Reads which lock of another tool an environment takes its packages from (the key `lock`)."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import cast

from reconciler.backticks import in_backticks
from reconciler.manifest.desired import LockSource, LockTool
from reconciler.manifest.input_files import InputFiles
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.paths import LOCK_SOURCE
from reconciler.manifest.text_file import UnreadableFileError


def read_lock_source(
    text: str, *, extras: Iterable[str], groups: Iterable[str], directory: Path, files: InputFiles
) -> LockSource:
    """Return the lock at the path `text`, relative to the manifest's `directory`, with its digest; it is not parsed.

    Raises InvalidTextError if it cannot be read, or if the file that its tool needs next to it is missing.
    """
    path = Path(os.path.normpath(directory.absolute() / text))
    found = LOCK_SOURCE.fullmatch(path.name)
    tool = cast("LockTool", (found[1] or found[2]) if found else "pylock")  # the model checked the name
    try:
        files.require(path.parent, is_project=True)  # uv reads the project there
        sha256 = files.lock_sha256(path)
        files.require(path.parent / "pyproject.toml")
    except UnreadableFileError as error:
        invalid = error.invalid_text(text)
        if error.missing:
            invalid.hint = "correct the path, which is relative to the manifest, or make the lock with its tool"
        raise invalid from error
    if tool == "uv" and not files.is_file(path.parent / "pyproject.toml"):
        message = f"{in_backticks(text)} has no pyproject.toml next to it, which uv needs to read it"
        raise InvalidTextError(message, hint="write the path of the lock in its project")
    return LockSource(
        path=files.real(path.parent) / path.name,  # a link to a lock elsewhere still belongs to the project here
        relative=Path(os.path.relpath(path, directory.absolute())).as_posix(),
        tool=tool,
        sha256=sha256,
        extras=tuple(sorted(set(extras))),
        groups=tuple(sorted(set(groups))),
    )
