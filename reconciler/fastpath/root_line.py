"""Finds the root in the `root:` line of a manifest, so that the rest of the manifest need not be valid."""

from __future__ import annotations

import os

from reconciler.fs.read import read_regular

_DEFAULT_ROOT = ".envs"
_LIMIT_BYTES = 64 * 1024 * 1024  # the full program reports a manifest that is too large
_KEYS = ("root", '"root"', "'root'")


def read_root(file: str) -> str:
    """Return the absolute path of the root of the manifest at `file`; raises OSError if `file` cannot be read."""
    text = (
        read_regular(file, limit=_LIMIT_BYTES, follow=True)
        .decode("utf-8", "replace")
        .replace("\r\n", "\n")
        .replace("\r", "\n")
    )
    found = next((value for line in text.split("\n") if (value := _root_value(line))), _DEFAULT_ROOT)
    return os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(file)), found))  # noqa: PTH100, PTH118, PTH120


def _root_value(line: str) -> str:
    """Return the value of a line `root: VALUE` without quotes and comment, empty for any other line."""
    key, colon, rest = line.partition(":")
    if not colon or key.rstrip() not in _KEYS or rest[:1] not in {"", " ", "\t"}:
        return ""
    value = rest.strip()
    if value[:1] in {'"', "'"}:
        return value[1:].partition(value[0])[0]
    return "" if value.startswith("#") else value.partition(" #")[0].strip()
