"""Verifies a built generation: what is observed equals the lock, and every file is the one that its RECORD names.

A cache shared by hard links can hand out an edited file with a valid name; RECORD's hashes (PEP 376) tell.
"""

import base64
import csv
import posixpath
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from packaging.version import InvalidVersion, Version

from reconciler.errors import ApplyError
from reconciler.lock.model import LockedPackage
from reconciler.observe.actual import ActualEnvironment
from reconciler.state.inventory import Inventory


class RecordMismatchError(ApplyError):
    """Installed files differ from their RECORD; `packages` are the normalized names that have such files."""

    code = "record-mismatch"

    def __init__(self, files: Mapping[str, str]) -> None:
        shown = sorted(files)[:5]
        more = f" and {len(files) - 5} more" if len(files) > 5 else ""
        super().__init__(
            f"{len(files)} installed files are not what their RECORD names: {', '.join(shown)}{more}",
            hint="the cache was changed by somebody's hand; it was refreshed, and the files still differ",
        )
        self.packages = tuple(sorted(set(files.values())))


def verify_lock(packages: tuple[LockedPackage, ...], observed: ActualEnvironment) -> None:
    """Raise ApplyError unless exactly the locked packages are installed, in the locked versions."""
    installed = {each.key: each.version for each in observed.distributions}
    wanted = {package.name: package.version for package in packages}
    wrong = [f"{name} is missing" for name in sorted(wanted.keys() - installed.keys())]
    wrong += [f"{name} was not asked for" for name in sorted(installed.keys() - wanted.keys())]
    for name in sorted(wanted.keys() & installed.keys()):
        version = wanted[name]
        if version is not None and not _same_version(version, installed[name]):
            wrong.append(f"{name} is {installed[name]}, the lock says {version}")
    if wrong:
        raise ApplyError("what was installed is not what the lock selects: " + "; ".join(wrong))


def verify_records(venv: Path, observed: ActualEnvironment, inventory: Inventory) -> None:
    """Raise RecordMismatchError unless every file that a RECORD gives a SHA-256 for has it.

    Raises ApplyError where a RECORD cannot be read.
    """
    wrong: dict[str, str] = {}
    hashes = inventory.hashes()
    for distribution in observed.distributions:
        place = distribution.place
        if not place.endswith(".dist-info"):
            continue
        site = posixpath.dirname(place)
        for path, sha256 in _record_hashes(venv / place / "RECORD").items():
            inside = f"{site}/{path}"
            if inside not in hashes:  # `../../../bin/tool`, say; to normalize all would take longer than all the rest
                inside = posixpath.normpath(posixpath.join(site, path))
            if inside.startswith("../"):
                wrong[path] = distribution.key  # a wheel that reaches out of its environment
            elif inside not in hashes or _record_text(hashes[inside]) != sha256:
                wrong[inside] = distribution.key
    if wrong:
        raise RecordMismatchError(wrong)


def _record_hashes(record: Path) -> dict[str, str]:
    """Return path to SHA-256, as it is written, for the rows of a RECORD that have one; raises ApplyError."""
    try:
        with record.open(encoding="utf-8", newline="") as rows:  # path, hash, size
            return {
                row[0]: row[1].rstrip("=") for row in csv.reader(rows) if len(row) == 3 and row[1].startswith("sha256=")
            }
    except (ValueError, csv.Error) as error:
        raise ApplyError(f"{record.parent.name}/RECORD cannot be read: {error}") from error


@cache  # what environments share is verified in each
def _record_text(sha256: bytes) -> str:
    """Return a SHA-256 (32 bytes) as a RECORD has it: URL-safe Base64 without padding (PEP 376)."""
    return "sha256=" + base64.urlsafe_b64encode(sha256).decode("ascii").rstrip("=")


def _same_version(one: str, other: str) -> bool:
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other
