"""Attributes findings to packages: to the one whose RECORD lists the file, or the only one in its directory."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.fs.read import read_inside
from reconciler.observe.actual import Distribution, Finding
from reconciler.observe.bytecode import bytecode_source
from reconciler.observe.record_file import recorded_paths

_LISTS = ("RECORD", "installed-files.txt")


def attribute_findings(findings: Iterable[Finding], venv: str, distributions: Iterable[Distribution]) -> list[Finding]:
    """Return `findings` with `package` filled in if it is known; reads the RECORD files of all distributions."""
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
    """Return the paths that the list of files in the metadata directory `place` has, relative to the environment."""
    for name in _LISTS:
        try:
            text = read_inside(f"{venv}/{place}/{name}", venv).decode("utf-8", "surrogateescape")
        except OSError:
            continue
        return recorded_paths(text, site if name == "RECORD" else place)
    return []


def _owner(path: str, owners: Mapping[str, str], directories: Mapping[str, set[str]]) -> str:
    """Return the package that lists `path`, else the only one in the nearest known directory, else an empty text."""
    for each in (path, bytecode_source(path)):
        if each in owners:
            return owners[each]
    parent = path.rpartition("/")[0]
    while parent and not parent.endswith("/site-packages"):
        if parent in directories:
            return next(iter(directories[parent])) if len(directories[parent]) == 1 else ""
        parent = parent.rpartition("/")[0]
    return ""
