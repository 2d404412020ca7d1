"""A base interpreter: the facts that choosing, locking and comparing need."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A base interpreter (never one inside a venv) and its facts, read with `-I -S -B`.

    `path` is its absolute path as found; `version` is `platform.python_version()`; `markers` is the PEP 508
    environment; `tags` are the PEP 425 tags it accepts, best first. An empty `version` stands for no interpreter: none
    that satisfies a request (`UNKNOWN`).
    """

    path: str
    version: str
    implementation: str
    markers: Mapping[str, str]
    tags: tuple[str, ...]

    @property
    def series(self) -> str:
        """Return the language version, `3.12`."""
        return ".".join(self.version.split(".")[:2])

    @property
    def free_threaded(self) -> bool:
        """Return whether it is a CPython without the global interpreter lock (PEP 703)."""
        return bool(self.tags) and re.match(r"cp[0-9]+-cp[0-9]+t", self.tags[0]) is not None

    @property
    def identity(self) -> tuple[str, str, str]:
        """Return path, version and implementation; a generation is rebuilt if one of them changes."""
        return (self.path, self.version, self.implementation)


UNKNOWN = Interpreter(path="", version="", implementation="", markers={}, tags=())
"""Stands for no interpreter."""
