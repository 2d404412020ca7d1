"""Builds local projects from copies, unless they are editable; the metadata of their packages names the originals."""

import csv
import hashlib
import io
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from reconciler.fs.read import read_regular
from reconciler.fs.replace_file import replace_file
from reconciler.lock.build_copy import copy_for_build
from reconciler.lock.install_document import source_directories
from reconciler.lock.model import Lock, Selected
from reconciler.processes.scratch import scratch_directory


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


def name_originals(venv: Path, copies: Mapping[Path, Path]) -> None:
    """Name the originals instead of the copies in the metadata of packages that were built from copies.

    The files are direct_url.json (PEP 610), and METADATA with its requirements for directories. RECORD
    is changed accordingly. Raises OSError.
    """
    renamed = {original.as_uri(): copy.as_uri() for original, copy in copies.items()}
    # A copy has the path of the original below another directory.
    bases = {copy.removesuffix(original.removeprefix("file://")).encode("ascii") for original, copy in renamed.items()}
    for path in sorted((venv / "lib").glob("python*/site-packages/*.dist-info/direct_url.json")) if copies else ():
        if json.loads(read_regular(path)).get("url") in renamed.values():
            for each in (path, path.with_name("METADATA")):
                content = before = read_regular(each)
                for base in bases:
                    content = content.replace(base + b"/", b"file:///")
                if content != before:
                    replace_file(each, content)
                    _record(each, content)


def _record(path: Path, content: bytes) -> None:
    """Write the hash and size of a file of a metadata directory into its RECORD."""
    record = path.parent / "RECORD"
    name = f"{path.parent.name}/{path.name}"
    rows = list(csv.reader(io.StringIO(read_regular(record).decode("utf-8"), newline="")))
    digest = urlsafe_b64encode(hashlib.sha256(content).digest()).decode("ascii").rstrip("=")
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(
        [name, f"sha256={digest}", str(len(content))] if row and row[0] == name else row for row in rows
    )
    replace_file(record, text.getvalue().encode("utf-8"))
