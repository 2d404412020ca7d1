"""Deletes what an install leaves behind in the directories of editable projects."""

import fcntl
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from packaging.pylock import PackageDirectory

from reconciler.fs.file_lock import lock_file
from reconciler.fs.remove_tree import remove_tree
from reconciler.lock.model import Lock, Selected
from reconciler.lock.select import artifact_directory

_MOST_SECONDS = 3600.0  # builds of the same project wait for each other
_TEMPORARY_BUILD = re.compile(r"temp\..+|lib|lib\..+|bdist\..+")  # what setuptools makes below `build`


@contextmanager
def clean_editables(lock: Lock, selected: Selected) -> Iterator[None]:
    """Remove afterwards what a build leaves in the directories of editable projects if it was not there before.

    These are `*.egg-info`, the temporary part of `build`, and bytecode: an editable install (PEP 660) needs none of it.
    A directory is locked during the block, because another build must not find half of them.
    """
    directories = sorted(
        {
            artifact_directory(lock, artifact)
            for _, artifact in selected
            if isinstance(artifact, PackageDirectory) and artifact.editable
        }
    )
    with ExitStack() as stack:
        for directory in directories:
            stack.enter_context(_locked(directory))
        before = {directory: _leftovers(directory) for directory in directories}
        try:
            yield
        finally:
            for directory, known in before.items():
                for path in _leftovers(directory) - known:
                    with suppress(OSError):  # what cannot be deleted is left, as with pip
                        remove_tree(path.parent, path.name)


def _leftovers(directory: Path) -> frozenset[Path]:
    """Return the directories in a project that setuptools, pdm-backend or the import of a backend makes."""
    found = set()
    for folder in (directory, directory / "src"):
        names = {"__pycache__", ".pdm-build"}
        found |= {each for each in _directories(folder) if each.name.endswith(".egg-info") or each.name in names}
    found |= {path for path in _directories(directory / "build") if _TEMPORARY_BUILD.fullmatch(path.name)}
    made = [path for path in _directories(directory) if path.name == "build"]
    if made and all(_TEMPORARY_BUILD.fullmatch(name) for name in os.listdir(made[0])):
        found |= set(made)
    return frozenset(found)


def _directories(folder: Path) -> Iterable[Path]:
    with suppress(OSError), os.scandir(folder) as entries:
        return [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    return []


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold the operating system's lock of a directory; hold none if the file system has no such locks.

    After an hour the block runs without the lock: anybody who may read the directory can lock it for ever.
    """
    try:
        opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        with suppress(OSError):
            lock_file(opened, fcntl.LOCK_EX, _MOST_SECONDS)
        yield
    finally:
        os.close(opened)
