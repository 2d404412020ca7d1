"""Finds the base interpreters of this machine by scanning directories, without starting any.

In order: absolute entries of PATH, pyenv's versions, uv's managed Pythons, and the usual bin directories. Shims and
interpreters inside virtual environments are skipped.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_NAMED = re.compile(r"^(?:python|pypy)(?P<series>3\.\d+)t?$")
_PLAIN = frozenset({"python3", "python", "pypy3"})
_MOST_LINKS = 40  # the kernel's own limit
_FIXED = ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "/opt/local/bin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An executable that looks like an interpreter; `series` (`3.12`) is empty if its name has none."""

    path: str
    series: str


def discover_interpreters(ambient: Mapping[str, str], *, outside: Path | None = None) -> tuple[Candidate, ...]:
    """Return every candidate once, in order of preference; none from `outside` (the manifest's directory)."""
    seen: set[str] = set()
    found: list[Candidate] = []
    for directory in _directories(ambient):
        if not directory.is_absolute() or directory.name == "shims" or _exists(directory.parent / "pyvenv.cfg"):
            continue
        for name, series in _names(directory):
            path = directory / name
            real = os.path.realpath(path)
            if real in seen or not os.access(path, os.X_OK) or not Path(real).is_file():
                continue
            if why_not_base(str(path), outside):
                continue
            seen.add(real)
            found.append(Candidate(path=str(path), series=series))
    return tuple(found)


def why_not_base(path: str, outside: Path | None) -> str:
    """Return why `path` must not be started, as "in ..."; empty if it may be.

    No symbolic link in the path may be below `outside` (the manifest's directory) or in a virtual environment: a commit
    or an installed package could change its target.
    """
    for step in _resolution_steps(path):
        if outside is not None and step.is_relative_to(outside):
            return "in the manifest's own directory"
        if _exists(step.parent.parent / "pyvenv.cfg"):
            return "in a virtual environment"
    return ""


def _resolution_steps(path: str) -> Iterator[Path]:
    """Yield `path` as written, then every symbolic link that it passes through, then the file itself."""
    yield Path(os.path.normpath(path))
    reached, ahead, links = Path("/"), [*reversed(Path(path).parts)], 0
    while ahead and links < _MOST_LINKS:
        part = ahead.pop()
        step = reached.parent if part == ".." else reached / part  # an absolute part starts again at the top
        try:
            target = step.readlink()
        except OSError:
            reached = step
            continue
        yield step
        ahead += reversed(target.parts)
        links += 1
    yield reached


def _exists(path: Path) -> bool:
    """Return whether `path` exists; False without permission, where Path.exists raises before Python 3.12."""
    return os.path.exists(path)  # noqa: PTH110


def _directories(ambient: Mapping[str, str]) -> Iterator[Path]:
    """Yield the directories that may hold interpreters."""
    home = Path(ambient.get("HOME", "/"))
    for entry in ambient.get("PATH", "").split(":"):
        if entry.startswith("/"):
            yield Path(entry)
    pyenv = Path(ambient.get("PYENV_ROOT") or home / ".pyenv")
    yield from _bins(pyenv / "versions")
    data = Path(ambient.get("XDG_DATA_HOME") or home / ".local/share")
    yield from _bins(Path(ambient.get("UV_PYTHON_INSTALL_DIR") or data / "uv/python"))
    for entry in _FIXED:
        yield Path(entry)


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
    named = [(name, match["series"]) for name in entries if (match := _NAMED.match(name))]
    return sorted(named, key=lambda pair: _natural(pair[0]), reverse=True) + [
        (name, "") for name in sorted(_PLAIN & set(entries), reverse=True)
    ]
