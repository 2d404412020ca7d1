"""Paths in a manifest: relative to it, and the same on every machine; its root is `reconciler.manifest.root_path`."""

import os
from pathlib import Path

from reconciler.manifest.refusal import RefusedError


def check_path(text: str) -> str:
    """Return a path as it stands, or refuse what only a shell would understand."""
    if not text.strip():
        raise RefusedError("not a path: it is empty")
    if text.startswith("~"):
        raise RefusedError(
            "not a path: `~` is not expanded", hint="write an absolute path, or one relative to the manifest"
        )
    if "$" in text:
        hint = "write it out; one manifest means the same for everybody"
        raise RefusedError("not a path: variables are not expanded", hint=hint, offset=text.index("$"))
    return text


def check_locks(text: str) -> str:
    """Return the path of the directory of locks, or refuse it: locks go with the manifest, on every machine."""
    return _check_relative(text, "locks are kept beside the manifest, for instance in `locks`")


def check_project_path(text: str) -> str:
    """Return the path of a project's directory, or refuse it: it means the same on every machine."""
    return _check_relative(text, "write it relative to the manifest, for instance `.`")


def check_file_path(text: str) -> str:
    """Return the path of a requirements or constraints file, or refuse it."""
    if "://" in text:
        raise RefusedError("a URL, not a file", hint="download it, and keep it beside the manifest")
    if text.startswith("-"):
        raise RefusedError("an option, not a file", hint="name the file alone")
    return check_path(text)


def _check_relative(text: str, hint: str) -> str:
    check_path(text)
    if Path(text).is_absolute():
        raise RefusedError("an absolute path", hint=hint)
    return text


def escapes(text: str) -> bool:
    """Say whether a relative path leads out of where it starts."""
    normal = os.path.normpath(text)
    return normal == ".." or normal.startswith("../")


def is_within(path: Path, directory: Path) -> bool:
    """Say whether one normalized path is the other, or below it."""
    return path == directory or directory in path.parents
