"""Reads the few headers of core metadata (METADATA, PKG-INFO) that envsync needs.

The rules are those of `email.parser`, which pip uses but which is slow: the headers end at the first other line.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.fs.read import read_regular

_LIMIT_BYTES = 8 * 1024 * 1024
_HEADER = re.compile(r"[!-9;-~]+:")
_SECTION = re.compile(r"^\[(?P<extra>[^\]:]*)(?::(?P<marker>[^\]]*))?\]$")
_NOT_NAME = re.compile(r"[-_.]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A distribution's `Name` and `Version` as in its metadata, None if they are missing."""

    name: str | None
    version: str | None


def normalized(name: str) -> str:
    """Return the normalized form of a distribution's name (PEP 503)."""
    return _NOT_NAME.sub("-", name).lower()


def read_identity(text: str) -> Identity:
    """Return the first `Name` and the first `Version` in the headers of `text`."""
    name = version = None
    for key, value in headers(text):
        if name is None and key == "name":
            name = value
        elif version is None and key == "version":
            version = value
        if name is not None and version is not None:
            break
    return Identity(name=name, version=version)


def headers(text: str) -> Iterator[tuple[str, str]]:
    """Yield the headers of `text` in order: names in lower case, values unchanged, with folded lines joined."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    start, key, value = 0, "", ""
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line = text[start:end]
        if line[:1] in {" ", "\t"} and key:
            value += "\n" + line
        elif _HEADER.match(line):
            if key:
                yield key, value
            key, _, value = line.partition(":")
            key, value = key.lower(), value.lstrip(" \t")
        elif line[:1] not in {" ", "\t"}:
            break
        start = end + 1
    if key:
        yield key, value


def read_requirements(place: Path) -> list[str]:
    """Return the requirements (PEP 508) of the distribution whose metadata directory or file is `place`.

    They are in `Requires-Dist` of METADATA or PKG-INFO, else in requires.txt of an egg-info. A file that cannot be read
    has none, and becomes a finding elsewhere.
    """
    for name in ("METADATA", "PKG-INFO", ""):
        text = _text(f"{place}/{name}" if name else str(place))
        if text:
            found = [value.strip() for key, value in headers(text) if key == "requires-dist"]
            return found or list(_requires_txt(_text(f"{place}/requires.txt")))
    return []


def _text(path: str) -> str:
    try:
        return read_regular(os.path.realpath(path), limit=_LIMIT_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _requires_txt(text: str) -> Iterator[str]:
    """Yield the lines of setuptools' requires.txt as PEP 508 texts; sections `[extra:marker]` become markers."""
    conditions: list[str] = []
    for line in (each.strip() for each in text.splitlines()):
        if match := _SECTION.match(line):
            extra, marker = normalized(match["extra"]), match["marker"]
            conditions = [f"({marker})"] if marker else []
            conditions += [f'extra == "{extra}"'] if extra else []
        elif line and not line.startswith("#"):
            yield f"{line} ; {' and '.join(conditions)}" if conditions else line
