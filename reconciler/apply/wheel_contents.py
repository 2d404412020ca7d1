"""What each wheel contained when it was fetched, so that an edited cache cannot bring in other files.

A lock names the hash of a wheel. The engine checks it when it fetches and unpacks the wheel, and not again when it
installs from its cache. So envsync remembers, by this hash, a digest of the files that the wheel had after its first
installation from a cache that is its own. A wheel that contains something else later was edited in the cache, also if
its RECORD was edited with it. It is fetched again, and then has its hash checked.
"""

import hashlib
import posixpath
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from reconciler.apply.verify_build import Record
from reconciler.canonical_json import Json, canonical_text
from reconciler.errors import RecordMismatchError
from reconciler.fastpath.own_columns import WRITTEN_BY_INSTALLERS
from reconciler.fs.atomic_write import write_cache
from reconciler.fs.authentic_json import authentic_json, read_authentic_json
from reconciler.lock.model import ArchiveFile, IndexFile, LockedPackage
from reconciler.state.inventory import Inventory
from reconciler.state.layout import Layout

_FORMAT = 1
_MOST_WHEELS = 20_000
_OF_THE_VENV = frozenset({"_virtualenv.py", "_virtualenv.pth"})  # uv makes them, and no RECORD lists them
_SCRIPT = b"#!"


class WheelContents:
    """The digests that are remembered for one root; threads that verify environments share it."""

    def __init__(self, layout: Layout) -> None:
        self._path = layout.wheel_contents
        self._read: dict[str, str] | None = None
        self._found: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def _known(self) -> dict[str, str]:
        """Return what the file has, which is read when a generation is verified."""
        if self._read is None:
            self._read = _read(str(self._path))
        return self._read

    def verify(
        self,
        venv: Path,
        records: Sequence[Record],
        packages: Iterable[LockedPackage],
        inventory: Inventory,
        *,
        fetched: Collection[str],
        replaced: Mapping[str, Collection[str]],
    ) -> None:
        """Raise RecordMismatchError with the packages whose wheels contain something else than when they were fetched.

        `fetched` are packages that this run has fetched again: what their wheels contain is right, and is remembered.
        `replaced` are the paths of each package that are another package's files.
        """
        unlisted = _unlisted(records, inventory)
        hashes = inventory.hashes()
        wheels = {each.name: sha256 for each in packages if (sha256 := _wheel(each))}
        edited: dict[str, str] = {}
        for record in records:
            wheel = wheels.get(record.key)
            if wheel is None or replaced.get(record.key):
                continue
            extra = unlisted.get(record.key, [])
            digest = _digest(venv, record, extra, hashes)
            if not self._is_known(wheel, digest, learn=record.key in fetched, first=not extra):
                edited[extra[0] if extra else record.path] = record.key
        for path in unlisted.get("", ()):  # it may come from any wheel
            all_fetched = wheels.keys() <= set(fetched)
            if not self._is_known(path, hashes.get(path, b"").hex(), learn=all_fetched, first=False):
                edited |= {record.path: record.key for record in records if record.key in wheels}
        if edited:
            raise RecordMismatchError(edited, than="those of the wheel when it was fetched")

    def _is_known(self, key: str, digest: str, *, learn: bool, first: bool) -> bool:
        """Return whether a digest is the one that is known; with `learn` it becomes that, with `first` if none is."""
        with self._lock:
            known = self._found.get(key) or self._known.get(key)
            if learn or (first and known is None):
                self._found[key] = digest
                return True
            return known == digest

    def save(self) -> None:
        """Write what is new; an error is ignored, as the cache may be missing: then it is learned again."""
        if not self._found:
            return
        wheels: dict[str, Json] = {**self._known, **self._found}
        kept = dict(list(wheels.items())[-_MOST_WHEELS:])
        with suppress(OSError):
            write_cache(self._path, authentic_json(str(self._path), {"format": _FORMAT, "wheels": kept}))


def _read(path: str) -> dict[str, str]:
    with suppress(OSError, ValueError):
        stored = read_authentic_json(path)
        wheels = stored.get("wheels")
        if stored.get("format") == _FORMAT and isinstance(wheels, dict):
            return {str(sha256): str(digest) for sha256, digest in wheels.items()}
    return {}


def _wheel(package: LockedPackage) -> str:
    """Return the SHA-256 of the wheel that a lock names, empty if it names none: it is built on this machine."""
    source = package.source
    if isinstance(source, IndexFile):
        return source.sha256 if source.filename.endswith(".whl") else ""
    if isinstance(source, ArchiveFile):
        return source.sha256 if source.location.partition("#")[0].endswith(".whl") else ""
    return ""


def _digest(venv: Path, record: Record, extra: Sequence[str], hashes: Mapping[str, bytes]) -> str:
    """Return a digest of the files that came from a wheel: those in its RECORD, and those that it does not list.

    Left out are files that the installer writes, and the contents of scripts, which name the environment.
    """
    rows = []
    metadata = posixpath.basename(posixpath.dirname(record.path))
    for path, sha256 in record.hashes.items():
        directory, name = posixpath.split(path)
        if directory == metadata and name in WRITTEN_BY_INSTALLERS:
            continue
        is_script = path.startswith("../") and _is_script(venv / record.site / path)
        rows.append([path, "" if is_script else sha256])
    rows += [[path.removeprefix(f"{record.site}/"), hashes.get(path, b"").hex()] for path in extra]
    return hashlib.sha256(canonical_text(sorted(rows)).encode("ascii")).hexdigest()


def _is_script(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_SCRIPT)) == _SCRIPT
    except OSError:
        return False


def _unlisted(records: Sequence[Record], inventory: Inventory) -> dict[str, list[str]]:
    """Return the files in the directories of modules that no RECORD lists, by package; empty if it is unknown.

    A file may belong to any package that has others in the same top directory. Bytecode is compiled from a module that
    is listed.
    """
    found: dict[str, list[str]] = {}
    sites = {each.site for each in records}
    listed = {f"{each.site}/{path}" for each in records for path in each.hashes}
    owners: dict[str, set[str]] = {}
    for each in records:
        for path in each.hashes:
            owners.setdefault(f"{each.site}/{path.partition('/')[0]}", set()).add(each.key)
    for _, directory, positions in inventory.by_directory():
        site = next((each for each in sites if f"{directory}/".startswith(f"{each}/")), None)
        if site is None or directory.endswith("__pycache__"):
            continue
        for position in positions:
            path = f"{directory}/{inventory.names[position]}"
            if path in listed or (directory == site and inventory.names[position] in _OF_THE_VENV):
                continue
            top = f"{site}/{path[len(site) + 1 :].partition('/')[0]}"
            for owner in owners.get(top, {""}):
                found.setdefault(owner, []).append(path)
    return found
