"""Files that several packages contain: every build installs those of the same package, the one that pip would choose.

An engine installs packages at the same time, so the last one to write such a file differs between builds. pip installs
one after the other, and the last one wins. Therefore packages that contain a file with different contents are installed
again, in pip's order (`reconciler.observe.install_order`). Nothing is done about a file with equal contents.
"""

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reconciler.apply.verify_build import Record, installed_records
from reconciler.engines.engine import Engine, InstallRequest
from reconciler.lock.toml_format import lock_text
from reconciler.observe.install_order import install_order
from reconciler.observe.metadata import read_requirements
from reconciler.processes.scratch import scratch_directory
from reconciler.state.overlap import MOST_PATHS, Overlap


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlaps:
    """The overlaps of an environment.

    `found` are the overlaps, `replaced` the paths of each package whose files another package replaces, `again` the
    packages that must be installed again to get this result, in this order.
    """

    found: tuple[Overlap, ...] = ()
    replaced: Mapping[str, frozenset[str]] = field(default_factory=dict)
    again: tuple[str, ...] = ()


def find_overlaps(venv: Path, records: Sequence[Record], markers: Mapping[str, str]) -> Overlaps:
    """Return which files several of the packages contain, by their RECORD files; `markers` are the interpreter's."""
    shared = _shared_paths(records)
    if not shared:
        return Overlaps()
    requirements = {each.key: read_requirements((venv / each.path).parent) for each in records}
    order = install_order(requirements, markers)
    rank = {name: position for position, name in enumerate(order)}
    groups: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    replaced: dict[str, set[str]] = {}
    for path, hashes in shared.items():
        equal = len(set(hashes.values())) == 1 and "" not in hashes.values()
        groups.setdefault((tuple(sorted(hashes)), equal), []).append(path)
        if not equal:
            for name in hashes.keys() - {max(hashes, key=rank.__getitem__)}:
                replaced.setdefault(name, set()).add(path)
    different = {name for names, equal in groups if not equal for name in names}
    return Overlaps(
        found=tuple(
            sorted(
                Overlap(
                    packages=names,
                    installed=max(names, key=rank.__getitem__),
                    equal=equal,
                    files=len(paths),
                    paths=tuple(sorted(paths)[:MOST_PATHS]),
                )
                for (names, equal), paths in groups.items()
            )
        ),
        replaced={name: frozenset(paths) for name, paths in replaced.items()},
        again=tuple(name for name in order if name in different)[1:],
    )


def settle_overlaps(
    engine: Engine, request: InstallRequest, document: Mapping[str, Any], markers: Mapping[str, str]
) -> None:
    """Install the packages that overlap with different contents again, in pip's order.

    `request` installed all packages of `document` (PEP 751). Nothing is done if one of them lists a file outside the
    environment, because installing it again would delete that file. The verification then refuses the package. Raises
    EngineError, ApplyError or OSError.
    """
    records = installed_records(request.venv)
    overlaps = find_overlaps(request.venv, records, markers)
    inside = all(not _is_outside(each) for each in records if each.key in overlaps.again)
    if not (overlaps.again and inside):
        return
    with scratch_directory() as scratch:
        requests = {}
        for name in overlaps.again:
            file = scratch / f"pylock.{name}.toml"
            packages = [each for each in document["packages"] if each["name"] == name]
            file.write_text(lock_text({**document, "packages": packages}), encoding="utf-8")
            requests[name] = replace(request, pylock=file, refresh=())
        engine.install_again(requests)


def _shared_paths(records: Iterable[Record]) -> dict[str, dict[str, str]]:
    """Return each path (relative to the environment) that several records list, with its hash in each, by package."""
    seen: dict[str, dict[str, Record]] = {}  # by site-packages directory; sets of thousands of paths are compared
    shared: dict[str, dict[str, str]] = {}

    def add(path: str, one: Record, first: str, other: Record, second: str) -> None:
        if one.key != other.key:
            shared.setdefault(path, {}).update({one.key: one.hashes[first], other.key: other.hashes[second]})

    unusual: dict[str, list[tuple[Record, str]]] = {}
    for record in records:
        known = seen.setdefault(record.site, {})
        for path in known.keys() & record.hashes.keys():
            add(posixpath.normpath(f"{record.site}/{path}"), known[path], path, record, path)
        for path in record.hashes:
            if path not in known:
                known[path] = record
            if "./" in path or "//" in path or path[0] in "./":
                unusual.setdefault(posixpath.normpath(posixpath.join(record.site, path)), []).append((record, path))
    for inside, listed in unusual.items():
        (one, first), *others = listed
        for other, second in others:
            add(inside, one, first, other, second)
        for site, known in seen.items():  # the same file by its usual text
            usual = inside.removeprefix(f"{site}/")
            if usual != inside and usual in known and usual != first:
                add(inside, one, first, known[usual], usual)
    return shared


def _is_outside(record: Record) -> bool:
    """Return whether a package lists a file outside the environment."""
    return any(
        posixpath.normpath(posixpath.join(record.site, path)).startswith(("../", "/"))
        for path in record.hashes
        if "../" in path or path.startswith("/")
    )
