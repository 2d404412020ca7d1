"""Collect the caches of a root: what belongs to packages, interpreters, files and manifests that are gone."""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from reconciler.apply.collect import generation_names
from reconciler.engines.engine import CachedPackage, Engine
from reconciler.errors import EnvsyncError
from reconciler.fastpath.agreement import read_cache_file
from reconciler.fs.disk_usage import measure, total
from reconciler.interpreters.choose import Interpreters
from reconciler.interpreters.permitted import ForbiddenPlaces
from reconciler.processes.scratch import clear_scratch
from reconciler.state.inode_hashes import InodeHashes
from reconciler.state.layout import Layout
from reconciler.state.store import State


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedCache:
    """What was deleted of one kind: `count` entries; `size` are the bytes on disk that this freed.

    `failure` says why it could not be done, and is empty otherwise.
    """

    kind: str
    count: int = 0
    size: int = 0
    failure: str = ""


def collect_caches(state: State, engine: Engine | None) -> list[CollectedCache]:
    """Delete what nothing needs from every cache of the root; the root mutex must be held.

    `engine` is None if the root uses the user's own package cache, which is left as it is. A cache that cannot be
    collected stops no other.
    """
    layout = state.layout
    kinds: list[tuple[str, Callable[[], CollectedCache]]] = [
        ("interpreters", lambda: _interpreters(layout)),
        ("agreements", lambda: _files("agreements", _agreements(state))),
        ("manifest readings", lambda: _files("manifest readings", _readings(layout))),
        ("file hashes", lambda: _inodes(layout)),
        ("temporary directories", lambda: CollectedCache(kind="temporary directories", count=len(clear_scratch()))),
    ]
    if engine is not None:
        kinds.insert(0, ("packages", lambda: _packages(state, engine)))
    return [_collected(kind, collect) for kind, collect in kinds]


def _collected(kind: str, collect: Callable[[], CollectedCache]) -> CollectedCache:
    try:
        return collect()
    except EnvsyncError as error:
        return CollectedCache(kind=kind, failure=error.message)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return CollectedCache(kind=kind, failure=f"{where}{error.strerror or error}")


def _packages(state: State, engine: Engine) -> CollectedCache:
    """Keep the packages of every sealed generation; raises StateError if a seal cannot be read."""
    layout = state.layout
    keep = set()
    for name in generation_names(layout):
        for number in layout.generation_numbers(name):
            seal = state.seal(name, number)
            packages = seal.applied.packages if seal is not None else ()
            keep |= {
                CachedPackage(name=canonicalize_name(each.name), version=each.version)
                for each in packages
                if each.version is not None
            }
    before = measure([layout.engine_cache])
    engine.collect_cache(frozenset(keep))
    after = measure([layout.engine_cache])
    freed = [each for key, each in before.items() if key not in after and not each.shared]
    return CollectedCache(kind="packages", count=len(before.keys() - after.keys()), size=total(freed))


def _interpreters(layout: Layout) -> CollectedCache:
    facts = Interpreters({}, places=ForbiddenPlaces(), cache=layout.interpreter_facts)
    return CollectedCache(kind="interpreters", count=facts.collect())


def _agreements(state: State) -> list[Path]:
    """Return the agreements of environments that are no longer known."""
    known = state.last_applied().keys()
    return [each for each in _listed(state.layout.agreements) if each.name.removesuffix(".own") not in known]


def _readings(layout: Layout) -> list[Path]:
    """Return the manifest readings that cannot be used: of manifests that are gone, or of another format."""
    found = []
    for each in _listed(layout.cache):
        if each.name.startswith("manifest-"):
            reading = read_cache_file(str(each))
            if reading is None or not os.path.lexists(str(reading.get("file"))):
                found.append(each)
    return found


def _inodes(layout: Layout) -> CollectedCache:
    """Keep the hashes of inodes that are in a generation."""
    existing = measure([layout.all_generations]).keys()
    hashes = InodeHashes.load(layout.inode_hashes)
    count = hashes.keep(existing)
    hashes.save()
    return CollectedCache(kind="file hashes", count=count)


def _files(kind: str, paths: list[Path]) -> CollectedCache:
    size = 0
    for each in paths:
        size += total(measure([each]).values())
        each.unlink()
    return CollectedCache(kind=kind, count=len(paths), size=size)


def _listed(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError as error:
        if error.errno == errno.ENOENT:
            return []
        raise
