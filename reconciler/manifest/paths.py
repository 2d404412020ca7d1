"""Paths in a manifest, the same on every machine. The rules for the root are in `reconciler.manifest.root_path`."""

import os
import re
from pathlib import Path, PurePosixPath

from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.windows_path import refuse_windows_path

# File systems of the kernel; /proc and /sys contain regular files too (environ, kcore).
_SPECIAL_TREES = tuple(map(Path, ("/proc", "/sys", "/dev")))
_MEMORY = Path("/dev/shm")  # noqa: S108  # an ordinary file system, which may have a repository
DOWNLOAD_HINT = "download the file, and write the path of the copy"
LOCK_SOURCE = re.compile(r"(uv|poetry|pdm)\.lock|(pylock)(?:\.[^.]+)?\.toml")
LONGEST_PATH = 4096  # characters; PATH_MAX of Linux has as many bytes
_RELATIVE_HINT = "write a path relative to the manifest"


def validate_path(text: str, *, hint: str = _RELATIVE_HINT) -> str:
    """Return a path as written; raises InvalidTextError if it is empty or a shell would expand it.

    `hint` says what to write instead.
    """
    if not text.strip():
        raise InvalidTextError("the path is empty", hint=hint)
    refuse_long_path(text)
    if text.startswith("~"):
        raise InvalidTextError("`~` is not expanded in paths", hint=hint)
    refuse_windows_path(text, hint=hint)
    if "$" in text:
        raise InvalidTextError("variables are not expanded in paths", hint=hint, offset=text.index("$"))
    return text


def refuse_long_path(text: str) -> None:
    """Raise InvalidTextError for a path that no system call accepts; resolving its links would take long."""
    if len(text) > LONGEST_PATH:
        raise InvalidTextError(f"the path has more than {LONGEST_PATH:,} characters", hint="correct the path")


def validate_lock_directory(text: str) -> str:
    """Return the path of the lock directory; raises InvalidTextError unless it is relative to the manifest."""
    return _validate_relative(text, f"{_RELATIVE_HINT}, for example `locks`")


def validate_project_path(text: str) -> str:
    """Return the path of a project's directory; raises InvalidTextError unless it is relative to the manifest."""
    return _validate_relative(text, f"{_RELATIVE_HINT}, for example `.`")


def validate_allowed_path(text: str, directory: Path) -> str:
    """Return a directory of `allow_paths` as written; raises InvalidTextError if it must not be allowed.

    A relative one starts at `directory`, the manifest's.
    """
    hint = "write an absolute path, or a path relative to the manifest"
    validate_path(text, hint=hint)
    if "://" in text:
        raise InvalidTextError("must be a directory, not a URL", hint=hint)
    real = Path(os.path.realpath(directory / text))
    if real == Path(real.anchor):
        hint = "write the directory that has the files"
        raise InvalidTextError("must not be `/`, which contains every file of the machine", hint=hint)
    if in_special_tree(real):
        raise InvalidTextError("must not be below `/proc`, `/sys` or `/dev`", hint="remove it")
    return text


def in_special_tree(real: Path) -> bool:
    """Return whether a path without links is in a file system of the kernel: processes, devices and settings."""
    return any(is_within(real, each) for each in _SPECIAL_TREES) and not is_within(real, _MEMORY)


def validate_file_path(text: str) -> str:
    """Return the path of a requirements or constraints file; raises InvalidTextError."""
    if "://" in text:
        raise InvalidTextError("must be a file, not a URL", hint=DOWNLOAD_HINT)
    if text.startswith("-"):
        raise InvalidTextError("must be a file, not an option", hint="write only the path of the file")
    return validate_path(text)


def validate_lock_source(text: str) -> str:
    """Return the path of a lock of another tool; raises InvalidTextError if its name does not say which tool's."""
    validate_file_path(text)
    if not LOCK_SOURCE.fullmatch(PurePosixPath(text).name):
        raise InvalidTextError(
            "not the name of a lock",
            hint="write the path of a `uv.lock`, `poetry.lock`, `pdm.lock`, `pylock.toml` or `pylock.NAME.toml`",
        )
    return text


def _validate_relative(text: str, hint: str) -> str:
    validate_path(text, hint=hint)
    if Path(text).is_absolute():
        raise InvalidTextError("must be a relative path", hint=hint)
    return text


def escapes(text: str) -> bool:
    """Return whether a relative path ends outside the directory that it starts in."""
    normal = os.path.normpath(text)
    return normal == ".." or normal.startswith("../")


def is_within(path: Path, directory: Path) -> bool:
    """Return whether a normalized path is `directory` or below it."""
    return path.is_relative_to(directory)
