"""Reads the TOML of a lock, with bounds on the work: `LARGEST_LOCK` bytes and some hundred thousand values.

A real lock of 15 MiB has 4,000 packages with 15 files each, and is read in about a second. Another file of that size
could have eight million values, and take a minute.
"""

from collections.abc import Iterator
from typing import Any

import tomli

from reconciler.manifest.toml_depth import refuse_deep_keys, without_strings

_MOST_LINES = 200_000
_MOST_VALUES = 1_000_000
_MOST_TABLES = 150_000
_MOST_DOTS = 1_000_000  # in keys
_MOST_COMPONENTS = 500_000  # of all paths; each may be a symbolic link
_LONGEST_PATH = 8192  # characters, of a path or URL
_MOST_MARKER_CHARACTERS = 1_000_000


def parse_lock_toml(text: str) -> dict[str, Any]:
    """Return the tables of a lock; raises ValueError or RecursionError."""
    for most, found, what in (
        (_MOST_LINES, text.count("\n"), "lines"),
        (_MOST_VALUES, text.count(","), "values"),
        (_MOST_TABLES, text.count("{") + text.count("[["), "tables"),
    ):
        if found > most:
            raise ValueError(f"more than {most:,} {what}")
    in_keys = (without_strings(each).count(".") for each in text.split("\n"))
    if text.count(".") > _MOST_DOTS and sum(in_keys) > _MOST_DOTS:
        raise ValueError(f"more than {_MOST_DOTS:,} dots in its keys")
    refuse_deep_keys(text)
    document = tomli.loads(text)
    if sum(_marker_lengths(document)) > _MOST_MARKER_CHARACTERS:
        raise ValueError(f"its markers have more than {_MOST_MARKER_CHARACTERS:,} characters")
    if sum(_path_components(document)) > _MOST_COMPONENTS:
        raise ValueError(f"its paths have more than {_MOST_COMPONENTS:,} components")
    return document


def _path_components(document: dict[str, Any]) -> Iterator[int]:
    """Yield the number of components of each local path; raises ValueError for a path that no system call accepts."""
    packages = document.get("packages")
    for package in packages if isinstance(packages, list) else ():
        if not isinstance(package, dict):
            continue
        wheels = package.get("wheels")
        files = [package.get(each) for each in ("directory", "archive", "vcs", "sdist")]
        for each in (*files, *(wheels if isinstance(wheels, list) else ())):
            for key in ("path", "url") if isinstance(each, dict) else ():
                text = each.get(key)
                if isinstance(text, str):
                    if len(text) > _LONGEST_PATH:
                        raise ValueError(f"a `{key}` has more than {_LONGEST_PATH:,} characters")
                    yield text.count("/") if key == "path" or text.startswith("file:") else 0


def _marker_lengths(document: dict[str, Any]) -> Iterator[int]:
    """Yield the lengths of a lock's markers: parsing them takes more time than anything else in it."""
    environments = document.get("environments")
    yield from (len(each) for each in (environments if isinstance(environments, list) else ()) if isinstance(each, str))
    for key in ("packages", "package"):
        packages = document.get(key)
        for each in packages if isinstance(packages, list) else ():
            if isinstance(each, dict):
                marker = each.get("marker", each.get("markers"))
                yield len(marker) if isinstance(marker, str) else 0
