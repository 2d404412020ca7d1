"""Attributes findings to packages: to the one whose RECORD lists the file, or the only one in its directory.

If several packages list the file, it belongs to the first by name of those that were sealed, and the finding names all.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from reconciler.backticks import list_in_backticks
from reconciler.fs.read import read_inside
from reconciler.observe.actual import Distribution, Finding
from reconciler.observe.bytecode import bytecode_source
from reconciler.observe.record_file import recorded_paths

_LISTS = ("RECORD", "installed-files.txt")
_METADATA = (".dist-info", ".egg-info")


def attribute_findings(
    findings: Iterable[Finding], venv: str, distributions: Sequence[Distribution], sealed: Collection[str]
) -> list[Finding]:
    """Return `findings` with `package` filled in if it is known; reads the RECORD files of all distributions.

    `sealed` has the directories of the inventory. A package that is not among them was installed manually, so a file
    that it replaced still belongs to another package.
    """
    owners: dict[str, list[str]] = {}
    sealed_keys = {each.key for each in distributions if each.place in sealed}
    directories: dict[str, set[str]] = {}
    for each in distributions:
        if not each.place.endswith(_METADATA):
            continue
        directories.setdefault(each.place, set()).add(each.key)
        for path in recorded_files(venv, each):
            owners.setdefault(path, []).append(each.key)
            parent = path.rpartition("/")[0]
            while parent and each.key not in directories.setdefault(parent, set()):
                directories[parent].add(each.key)
                parent = parent.rpartition("/")[0]
    return [each if each.package else _attributed(each, owners, directories, sealed_keys) for each in findings]


def _attributed(
    finding: Finding,
    owners: Mapping[str, list[str]],
    directories: Mapping[str, set[str]],
    sealed: Collection[str],
) -> Finding:
    listed = next((owners[each] for each in (finding.path, bytecode_source(finding.path)) if each in owners), [])
    if not listed:
        return replace(finding, package=_only_package_around(finding.path, directories))
    names = sorted(set(listed))
    package = next((each for each in names if each in sealed), names[0])
    if len(names) == 1:
        return replace(finding, package=package)
    several = f"{list_in_backticks(names)} contain it"
    return replace(finding, package=package, detail=f"{finding.detail}; {several}" if finding.detail else several)


def recorded_files(venv: str, distribution: Distribution) -> list[str]:
    """Return the paths (relative to the environment) that a distribution's list of files has; none if it has no list.

    `venv` is the absolute path of the environment.
    """
    place = distribution.place
    site, _, name = place.rpartition("/")
    if not name.endswith(_METADATA):
        return []
    for name in _LISTS:
        try:
            text = read_inside(f"{venv}/{place}/{name}", venv).decode("utf-8", "surrogateescape")
        except OSError:
            continue
        return recorded_paths(text, site if name == "RECORD" else place)
    return []


def _only_package_around(path: str, directories: Mapping[str, set[str]]) -> str:
    """Return the only package in the nearest known directory of `path`, an empty text if there are several or none."""
    parent = path.rpartition("/")[0]
    while parent and not parent.endswith("/site-packages"):
        if parent in directories:
            return next(iter(directories[parent])) if len(directories[parent]) == 1 else ""
        parent = parent.rpartition("/")[0]
    return ""
