"""Tells whose file was found changed: the package whose RECORD names it, or that alone owns its directory."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.fs.read import read_inside
from reconciler.observe.actual import Distribution, Finding
from reconciler.observe.bytecode import source_of
from reconciler.observe.record import recorded_paths

_LISTS = ("RECORD", "installed-files.txt")


def attributed(findings: Iterable[Finding], venv: str, distributions: Iterable[Distribution]) -> list[Finding]:
    """Return `findings` with `package` filled in where it can be told; reads the RECORDs of all distributions."""
    owners: dict[str, str] = {}
    directories: dict[str, set[str]] = {}
    for each in distributions:
        site, _, name = each.place.rpartition("/")
        if not name.endswith((".dist-info", ".egg-info")):
            continue
        directories.setdefault(each.place, set()).add(each.key)
        for path in _recorded(venv, each.place, site):
            owners[path] = each.key
            parent = path.rpartition("/")[0]
            while parent and each.key not in directories.setdefault(parent, set()):
                directories[parent].add(each.key)
                parent = parent.rpartition("/")[0]
    return [
        each if each.package else replace(each, package=_owner(each.path, owners, directories)) for each in findings
    ]


def _recorded(venv: str, place: str, site: str) -> list[str]:
    for name in _LISTS:
        try:
            text = read_inside(f"{venv}/{place}/{name}", venv).decode("utf-8", "surrogateescape")
        except OSError:
            continue
        return recorded_paths(text, site if name == "RECORD" else place)
    return []


def _owner(path: str, owners: Mapping[str, str], directories: Mapping[str, set[str]]) -> str:
    """Return the package that names `path`, or is the only one with files in its nearest known directory."""
    for each in (path, source_of(path)):
        if each in owners:
            return owners[each]
    parent = path.rpartition("/")[0]
    while parent and not parent.endswith("/site-packages"):
        if parent in directories:
            return next(iter(directories[parent])) if len(directories[parent]) == 1 else ""
        parent = parent.rpartition("/")[0]
    return ""
