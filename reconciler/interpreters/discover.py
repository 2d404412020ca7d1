"""Finds the base interpreters of this machine by scanning directories, without starting any.

In order: absolute entries of PATH that only root and this user can change, what pyenv, uv, asdf and mise installed, and
the usual directories. Shims and interpreters inside virtual environments are skipped.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.fs.writers import writer_by_mode
from reconciler.interpreters import search_path
from reconciler.interpreters.permitted import ForbiddenPlaces, Refusal, refusal

_NAMED = re.compile(r"(?:python|pypy)(?P<series>3\.[0-9]+)t?")
_PLAIN = frozenset({"python3", "python", "pypy3"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An executable that looks like an interpreter; `series` (`3.12`) is empty if its name has none."""

    path: str
    series: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """Every candidate once, in order of preference, and those that must not be started, each with the reason."""

    candidates: tuple[Candidate, ...]
    refused: tuple[tuple[Candidate, Refusal], ...]


def discover_interpreters(ambient: Mapping[str, str], places: ForbiddenPlaces) -> Discovered:
    """Return what a search with the variables `ambient` finds; nothing in the forbidden places is a candidate."""
    seen: set[str] = set()
    found: list[Candidate] = []
    refused: list[tuple[Candidate, Refusal]] = []
    for directory in _directories(ambient):
        if _exists(directory.parent / "pyvenv.cfg"):
            continue
        for name, series in _names(directory):
            path = directory / name
            real = os.path.realpath(path)
            if real in seen or not os.access(path, os.X_OK) or not Path(real).is_file():
                continue
            candidate = Candidate(path=str(path), series=series)
            try:
                why = refusal(candidate.path, places)
            except OSError:  # it is gone again
                continue
            if why is not None:
                refused.append((candidate, why))
                continue
            seen.add(real)
            found.append(candidate)
    return Discovered(candidates=tuple(found), refused=tuple(refused))


def would_be_found(path: str, ambient: Mapping[str, str]) -> bool:
    """Return whether a search with the variables `ambient` lists `path`, if an interpreter is there."""
    directory, _, name = path.rpartition("/")
    return (name in _PLAIN or _NAMED.fullmatch(name) is not None) and search_path.is_searched(directory, ambient)


def _exists(path: Path) -> bool:
    """Return whether `path` exists; False without permission, where Path.exists raises before Python 3.12."""
    return os.path.exists(path)  # noqa: PTH110


def _directories(ambient: Mapping[str, str]) -> Iterator[Path]:
    """Yield the directories that may hold interpreters."""
    for entry in search_path.entries_of_path(ambient):
        if not _others_may_write(entry):
            yield Path(entry)
    for versions in search_path.directories_of_versions(ambient):
        yield from _bins(Path(versions))
    for entry in search_path.FIXED:
        yield Path(entry)


def _others_may_write(directory: str) -> bool:
    """Return whether other users may write to a directory of PATH, also if only the owner may replace a file (sticky).

    They could put an interpreter there that this user never installed.
    """
    try:
        return writer_by_mode(directory, os.stat(directory), os.geteuid()) is not None  # noqa: PTH116
    except OSError:
        return True


def _bins(versions: Path) -> Iterator[Path]:
    """Yield `*/bin` below a directory of installed versions, newest first by name."""
    try:
        names = sorted(os.listdir(versions), key=_natural, reverse=True)
    except OSError:
        return
    for name in names:
        yield versions / name / "bin"


def _natural(name: str) -> list[tuple[int, str]]:
    """Order `3.9.18` before `3.10.1`."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name) if part]


def _names(directory: Path) -> list[tuple[str, str]]:
    """Return (file name, series) of likely interpreters in `directory`; names with a version come first."""
    try:
        entries = os.listdir(directory)
    except OSError:
        return []
    named = [(name, match["series"]) for name in entries if (match := _NAMED.fullmatch(name))]
    return sorted(named, key=lambda pair: _natural(pair[0]), reverse=True) + [
        (name, "") for name in sorted(_PLAIN & set(entries), reverse=True)
    ]
