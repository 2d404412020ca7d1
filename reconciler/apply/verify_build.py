"""Verify a built generation: its packages are those of the lock, and every file has the hash that its RECORD names.

With hard links, a file that is edited in one environment is edited in the engine's cache too, and would be installed
into the next one. The hashes in RECORD (PEP 376) show such a file.
"""

import binascii
import csv
import hashlib
import io
import posixpath
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from reconciler.errors import ApplyError, RecordMismatchError
from reconciler.fs.read import read_regular
from reconciler.lock.model import LockedPackage
from reconciler.observe.actual import ActualEnvironment
from reconciler.observe.bytecode import bytecode_source, header_mismatch
from reconciler.state.inventory import Inventory

_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def verify_lock(packages: tuple[LockedPackage, ...], observed: ActualEnvironment) -> None:
    """Raise ApplyError unless exactly the locked packages are installed, in the locked versions."""
    installed = {each.key: each.version for each in observed.distributions}
    locked = {package.name: package.version for package in packages}
    problems = [f"`{name}` is missing" for name in sorted(locked.keys() - installed.keys())]
    problems += [f"`{name}` is not in the lock" for name in sorted(installed.keys() - locked.keys())]
    for name in sorted(locked.keys() & installed.keys()):
        version = locked[name]
        if version is not None and not _same_version(version, installed[name]):
            problems.append(f"`{name}` is {installed[name]}, but the lock has {version}")
    if problems:
        raise ApplyError("the installed packages differ from the lock: " + "; ".join(problems), hint=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A distribution's RECORD: its path in the venv, its own SHA-256 (32 bytes), and the hashes in it by path.

    The paths are as written, relative to `site`. The hash is empty if the RECORD has none, or no SHA-256.
    """

    key: str
    path: str
    sha256: bytes
    hashes: Mapping[str, str]

    @property
    def site(self) -> str:
        """Return the directory of modules, relative to the venv."""
        return posixpath.dirname(posixpath.dirname(self.path))


def read_records(venv: Path, observed: ActualEnvironment) -> list[Record]:
    """Return the RECORD of every distribution that has a metadata directory; raises ApplyError or OSError."""
    return [
        _read_record(venv, each.key, each.place) for each in observed.distributions if each.place.endswith(".dist-info")
    ]


def installed_records(venv: Path) -> list[Record]:
    """Return the RECORD of every metadata directory in a venv that was just built, by the names of the directories.

    Raises ApplyError or OSError.
    """
    found = sorted(venv.glob("lib/*/site-packages/*.dist-info"))
    return [
        _read_record(venv, canonicalize_name(each.name.partition("-")[0]), each.relative_to(venv).as_posix())
        for each in found
    ]


def _read_record(venv: Path, key: str, place: str) -> Record:
    content = read_regular(venv / place / "RECORD")
    hashes = _record_hashes(content, posixpath.basename(place))
    return Record(key=key, path=f"{place}/RECORD", sha256=hashlib.sha256(content).digest(), hashes=hashes)


def verify_records(
    records: Iterable[Record],
    inventory: Inventory,
    compiled: Path | None,
    replaced: Mapping[str, Collection[str]],
) -> None:
    """Raise RecordMismatchError unless every file with a SHA-256 in a RECORD has this hash.

    `compiled` is the venv if bytecode was compiled in it. Then bytecode that a wheel contains may be replaced.
    `replaced` are the paths (relative to the venv) of each package that are another package's files.
    """
    mismatched: dict[str, str] = {}
    outside: dict[str, str] = {}
    contents: dict[str, str] = {}
    changing = False
    hashes = inventory.hashes()
    for record in records:
        if hashes.get(record.path) != record.sha256:  # it changed after it was read
            mismatched[record.path] = record.key
            contents[record.path] = ""
            changing = True
        site, others = record.site, replaced.get(record.key, ())
        for path, sha256 in record.hashes.items():
            if not sha256:
                continue
            inside = f"{site}/{path}"
            found = hashes.get(inside)
            if found is None:  # for example `../../../bin/tool`; to normalize every path would take most of the time
                inside = posixpath.normpath(posixpath.join(site, path))
                found = hashes.get(inside)
            if inside.startswith("../"):
                outside[path] = record.key  # the wheel installed a file outside the environment
            elif (found is None or _record_text(found) != sha256) and not (
                inside in others or (compiled and _compiled_from_source(compiled, inside, hashes))
            ):
                mismatched[inside] = record.key
                contents[inside] = found.hex() if found else ""
    if mismatched or outside:
        raise RecordMismatchError(mismatched, outside=outside, contents=contents, changing=changing)


def _compiled_from_source(venv: Path, path: str, hashes: Mapping[str, bytes]) -> bool:
    """Return whether a file is bytecode that was compiled from the module next to it."""
    source = bytecode_source(path)
    return source in hashes and path in hashes and not header_mismatch(f"{venv}/{path}", f"{venv}/{source}")


def _record_hashes(record: bytes, name: str) -> Mapping[str, str]:
    """Return the hashes in a RECORD by path, as in `Record`; `name` is the name of its metadata directory.

    Raises ApplyError.
    """
    if b"../" in record:  # it lists scripts, which contain their environment's path, so no other RECORD equals it
        return _parse(record, name)
    return _parse_cached(record, name)


def _parse(record: bytes, name: str) -> Mapping[str, str]:
    try:
        rows = csv.reader(io.StringIO(record.decode("utf-8"), newline=""))  # path, hash, size
        return {
            row[0]: row[1].rstrip("=") if row[1].startswith("sha256=") else ""
            for row in rows
            if len(row) == 3 and row[0]
        }
    except (ValueError, csv.Error) as error:
        raise ApplyError(f"`{name}/RECORD` could not be read: {error}", hint=None) from error


_parse_cached = lru_cache(maxsize=1024)(_parse)


@cache  # files that environments share are verified in each of them
def _record_text(sha256: bytes) -> str:
    """Return a SHA-256 (32 bytes) as RECORD files write it: URL-safe Base64 without padding (PEP 376)."""
    text = binascii.b2a_base64(sha256, newline=False).translate(_URL_SAFE)
    return "sha256=" + text.decode("ascii").rstrip("=")


def _same_version(one: str, other: str) -> bool:
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other
