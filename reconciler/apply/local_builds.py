"""Handles local projects during an install: builds copies, and leaves nothing behind in editable projects."""

import csv
import fcntl
import hashlib
import io
import json
import os
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from packaging.pylock import PackageDirectory

from reconciler.fs.remove_tree import remove_tree
from reconciler.fs.sync import naming
from reconciler.lock.build_copy import copy_for_build
from reconciler.lock.install_document import source_directories
from reconciler.lock.model import Lock, Selected
from reconciler.lock.select import artifact_directory
from reconciler.processes.scratch import scratch_directory

_TEMPORARY_BUILD = re.compile(r"temp\..+|lib|lib\..+|bdist\..+")  # what setuptools makes below `build`


@contextmanager
def copied_sources(lock: Lock, selected: Selected) -> Iterator[dict[Path, Path]]:
    """Yield the copy of each directory that is installed from source and not editable; they exist during the block.

    Raises LockError or OSError.
    """
    with scratch_directory("source") as scratch:
        copies: dict[Path, Path] = {}
        for number, directory in enumerate(source_directories(lock, selected)):
            place = scratch / str(number)
            place.mkdir()
            copies[directory] = copy_for_build(directory, place)
        yield copies


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


def name_sources(venv: Path, copies: Mapping[Path, Path]) -> None:
    """Name the originals instead of the copies in the metadata of packages that were built from copies.

    These are the direct_url.json (PEP 610), and the requirements for directories in METADATA. RECORD is changed
    accordingly. Raises OSError.
    """
    renamed = {original.as_uri(): copy.as_uri() for original, copy in copies.items()}
    # A copy has the path of the original below another directory.
    bases = {copy.removesuffix(original.removeprefix("file://")).encode("ascii") for original, copy in renamed.items()}
    for path in sorted((venv / "lib").glob("python*/site-packages/*.dist-info/direct_url.json")) if copies else ():
        if json.loads(path.read_text(encoding="utf-8")).get("url") in renamed.values():
            for each in (path, path.with_name("METADATA")):
                content = before = each.read_bytes()
                for base in bases:
                    content = content.replace(base + b"/", b"file:///")
                if content != before:
                    _replace(each, content)
                    _record(each, content)


def _record(path: Path, content: bytes) -> None:
    """Write the hash and size of a file of a metadata directory into its RECORD."""
    record = path.parent / "RECORD"
    name = f"{path.parent.name}/{path.name}"
    rows = list(csv.reader(io.StringIO(record.read_text(encoding="utf-8"), newline="")))
    digest = urlsafe_b64encode(hashlib.sha256(content).digest()).decode("ascii").rstrip("=")
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(
        [name, f"sha256={digest}", str(len(content))] if row and row[0] == name else row for row in rows
    )
    _replace(record, text.getvalue().encode("utf-8"))


def _replace(path: Path, content: bytes) -> None:
    """Write a new file in the place of a file, whose inode may be shared with the engine's cache."""
    mode = path.stat().st_mode & 0o777
    with naming(path):
        path.unlink()
        path.write_bytes(content)
        path.chmod(mode)


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
    """Hold the operating system's lock of a directory; hold none if the file system has no such locks."""
    try:
        opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        with suppress(OSError):
            fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)
