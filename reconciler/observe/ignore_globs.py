"""Matches paths against `ignore_files`: globs, relative to the environment, of files that other programs write."""

import re
from collections.abc import Callable, Sequence


def ignore_matcher(globs: Sequence[str]) -> Callable[[str], bool]:
    """Return a function that returns whether a relative path is ignored.

    `*`, `?` and `[...]` match within one directory, `**` matches any number of directories. A glob that matches a
    directory also matches everything in it.
    """
    if not globs:
        return lambda _: False
    matches = re.compile("|".join(_pattern(glob) for glob in globs)).fullmatch
    return lambda path: matches(path) is not None


def _pattern(glob: str) -> str:
    parts = []
    segments = [segment for segment in glob.split("/") if segment not in {"", "."}]
    for number, segment in enumerate(segments):
        last = number == len(segments) - 1
        if segment == "**":
            parts.append(".*" if last else "(?:[^/]+/)*")
        else:
            parts.append(_segment(segment) + ("" if last else "/"))
    return f"(?:{''.join(parts)}(?:/.*)?)"


def _segment(segment: str) -> str:
    out, position = "", 0
    while position < len(segment):
        char = segment[position]
        end = segment.find("]", position + 2) if char == "[" else -1
        if char == "*":
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif end > 0:
            inner = segment[position + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            out += f"(?!/)[{'^' + inner[1:] if inner.startswith('!') else inner.replace('^', chr(92) + '^', 1)}]"
            position = end
        else:
            out += re.escape(char)
        position += 1
    return out
