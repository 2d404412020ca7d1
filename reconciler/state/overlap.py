"""Overlaps: files that several packages of a generation contain, recorded when it is sealed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.canonical_json import Json

MOST_PATHS = 10
"""How many paths of one overlap are recorded."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Overlap:
    """Files that the same packages contain: all with `equal` contents in each package, or all with different contents.

    `packages` are normalized names, sorted. The files of `installed`, one of them, are in the environment. `files` is
    their number; `paths` are the first of them, relative to the environment.
    """

    packages: tuple[str, ...]
    installed: str
    equal: bool
    files: int
    paths: tuple[str, ...]


def overlap_to_json(overlap: Overlap) -> Json:
    """Return an overlap as plain JSON."""
    return {
        "packages": list(overlap.packages),
        "installed": overlap.installed,
        "equal": overlap.equal,
        "files": overlap.files,
        "paths": list(overlap.paths),
    }


def overlap_from_json(stored: Mapping[str, Any]) -> Overlap:
    """Return the overlap in `stored`; raises KeyError or TypeError if it has a different shape."""
    packages, paths = stored["packages"], stored["paths"]
    texts = [*packages, *paths, stored["installed"]]
    if not (isinstance(packages, list) and isinstance(paths, list) and all(isinstance(each, str) for each in texts)):
        raise TypeError("an overlap has names and paths")
    if type(stored["equal"]) is not bool or type(stored["files"]) is not int:
        raise TypeError("an overlap has a number of files, and whether they are equal")
    return Overlap(
        packages=tuple(packages),
        installed=stored["installed"],
        equal=stored["equal"],
        files=stored["files"],
        paths=tuple(paths),
    )
