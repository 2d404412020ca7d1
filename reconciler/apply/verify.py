"""Verifies a built generation: what is observed equals the lock, and every file is the one that its RECORD names.

A cache shared by hard links can hand out an edited file with a valid name; RECORD's hashes (PEP 376) tell.
"""

import binascii
import csv
import hashlib
import io
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from packaging.version import InvalidVersion, Version

from reconciler.errors import ApplyError
from reconciler.lock.model import LockedPackage
from reconciler.observe.actual import ActualEnvironment
from reconciler.observe.bytecode import header_mismatch, source_of
from reconciler.state.inventory_file import Inventory

_URL_SAFE = bytes.maketrans(b"+/", b"-_")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A distribution's RECORD: its path in the venv, its own SHA-256 (32 bytes), and the hashes that it gives."""

    key: str
    path: str
    sha256: bytes
    hashes: Mapping[str, str]


def read_records(venv: Path, observed: ActualEnvironment) -> list[Record]:
    """Return the RECORD of every distribution that has a metadata directory; raises ApplyError or OSError."""
    found = []
    for each in observed.distributions:
        if each.place.endswith(".dist-info"):
            content = (venv / each.place / "RECORD").read_bytes()
            hashes = _record_hashes(content, posixpath.basename(each.place))
            sha256 = hashlib.sha256(content).digest()
            found.append(Record(key=each.key, path=f"{each.place}/RECORD", sha256=sha256, hashes=hashes))
    return found


def verify_records(records: Iterable[Record], inventory: Inventory, compiled: Path | None = None) -> None:
    """Raise RecordMismatchError unless every file that a RECORD gives a SHA-256 for has it.

    `compiled` is the venv if bytecode was compiled in it: that takes the place of what a wheel brings along.
    """
    wrong: dict[str, str] = {}
    hashes = inventory.hashes()
    for record in records:
        if hashes.get(record.path) != record.sha256:  # written since it was read
            wrong[record.path] = record.key
        site = posixpath.dirname(posixpath.dirname(record.path))
        for path, sha256 in record.hashes.items():
            inside = f"{site}/{path}"
            found = hashes.get(inside)
            if found is None:  # `../../../bin/tool`, say; to normalize all would take longer than all the rest
                inside = posixpath.normpath(posixpath.join(site, path))
                found = hashes.get(inside)
            if inside.startswith("../"):
                wrong[path] = record.key  # a wheel that reaches out of its environment
            elif (found is None or _record_text(found) != sha256) and not (
                compiled and _made_from_its_source(compiled, inside, hashes)
            ):
                wrong[inside] = record.key
    if wrong:
        raise RecordMismatchError(wrong)


def _made_from_its_source(venv: Path, path: str, hashes: Mapping[str, bytes]) -> bool:
    """Say whether a file is bytecode that an interpreter made of the module beside it."""
    source = source_of(path)
    return source in hashes and path in hashes and not header_mismatch(f"{venv}/{path}", f"{venv}/{source}")


def _record_hashes(record: bytes, name: str) -> Mapping[str, str]:
    """Return path to SHA-256, as it is written, for the rows of a RECORD that have one; raises ApplyError.

    `name` is its metadata directory's.
    """
    if b"../" in record:  # it has scripts, which name their environment: no other's is the same
        return _parsed(record, name)
    return _parsed_once(record, name)


def _parsed(record: bytes, name: str) -> Mapping[str, str]:
    try:
        rows = csv.reader(io.StringIO(record.decode("utf-8"), newline=""))  # path, hash, size
        return {row[0]: row[1].rstrip("=") for row in rows if len(row) == 3 and row[1].startswith("sha256=")}
    except (ValueError, csv.Error) as error:
        raise ApplyError(f"{name}/RECORD cannot be read: {error}") from error


_parsed_once = lru_cache(maxsize=1024)(_parsed)


@cache  # what environments share is verified in each
def _record_text(sha256: bytes) -> str:
    """Return a SHA-256 (32 bytes) as a RECORD has it: URL-safe Base64 without padding (PEP 376)."""
    text = binascii.b2a_base64(sha256, newline=False).translate(_URL_SAFE)
    return "sha256=" + text.decode("ascii").rstrip("=")


def _same_version(one: str, other: str) -> bool:
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other
