"""Finds the root that a manifest names by its `root:` line alone: the rest of it may be broken."""

from __future__ import annotations

import os

_DEFAULT_ROOT = ".envs"
_KEYS = ("root", '"root"', "'root'")


def root_named(file: str) -> str:
    """Return the root, absolute, of the manifest at `file`; raises OSError where that cannot be read."""
    with open(file, encoding="utf-8", errors="replace") as text:  # noqa: PTH123  # no pathlib here
        found = next((value for line in text if (value := _value(line.rstrip("\n")))), _DEFAULT_ROOT)
    return os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(file)), found))  # noqa: PTH100, PTH118, PTH120


def _value(line: str) -> str:
    """Return what a line of the form `root: VALUE` says, quotes and comment taken off; empty for any other line."""
    key, colon, rest = line.partition(":")
    if not colon or key.rstrip() not in _KEYS or rest[:1] not in {"", " ", "\t"}:
        return ""
    value = rest.strip()
    if value[:1] in {'"', "'"}:
        return value[1:].partition(value[0])[0]
    return "" if value.startswith("#") else value.partition(" #")[0].strip()
