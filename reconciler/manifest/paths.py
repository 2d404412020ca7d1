"""Paths in a manifest: relative to it, and never where writing would harm."""

import os
from pathlib import Path

from reconciler.manifest.refusal import RefusedError


def _check_path(text: str) -> str:
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


def check_root(text: str, directory: Path) -> str:
    """Return the root's path, or refuse it: relative ones stay below `directory`, none holds the manifest itself.

    envsync owns its root: it keeps a `.gitignore` there that hides everything in it from git.
    """
    _check_path(text)
    relative = not Path(text).is_absolute()
    if relative and escapes(text):
        raise RefusedError(
            "leaves the manifest's directory", hint="write an absolute path if it is meant to be elsewhere"
        )
    root = Path(os.path.normpath(directory / text))
    here = Path(os.path.normpath(directory.absolute()))
    real_here = Path(os.path.realpath(directory))
    real_root = Path(os.path.realpath(root))
    if root.absolute() in {here, *here.parents} or real_root in {real_here, *real_here.parents}:
        raise RefusedError(
            "a directory that holds the manifest", hint="environments need one of their own, for instance `.envs`"
        )
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
    return _check_path(text)


def _check_relative(text: str, hint: str) -> str:
    _check_path(text)
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
