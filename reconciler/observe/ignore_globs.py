"""Matches paths against `ignore_files`: globs, relative to the environment, of files that other programs write."""

import re
from collections.abc import Callable, Sequence

from reconciler.fs.any_between import any_between


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
    """Return the expression of one glob; it needs linear time, whatever the glob and the path.

    What follows `*` or `**` is looked for from left to right, and the first place is kept (`(?>...)`): if the rest does
    not match after it, it does not match after a later place either.
    """
    groups: list[list[str]] = [[]]  # the segments between `**`
    for segment in glob.split("/"):
        if segment == "**":
            groups.append([])
        elif segment not in {"", "."}:
            groups[-1].append(_segment(segment))
    first, rest = groups[0], [each for each in groups[1:] if each]
    if not rest:
        only_directories = len(groups) > 1  # it ends in `**`
        return "/".join([*first, ".*"]) if only_directories else f"(?:{'/'.join(first)}(?:/.*)?)"
    parts = [f"{each}/" for each in first]
    parts += [f"(?>(?:[^/]+/)*?{'/'.join(each)}/)" for each in rest[:-1]]
    last = "/".join(rest[-1])
    parts.append(f"(?:[^/]+/)*?{last}" + ("/.*" if not groups[-1] else "(?:/.*)?"))
    return f"(?:{''.join(parts)})"


def _segment(segment: str) -> str:
    found, position = [""], 0  # the parts between `*`
    while position < len(segment):
        char = segment[position]
        end = segment.find("]", position + 2) if char == "[" else -1
        if char == "*":
            found.append("")
        elif char == "?":
            found[-1] += "[^/]"
        elif end > 0:
            inner = segment[position + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            chosen = f"^{inner[1:]}" if inner.startswith("!") else inner.replace("^", "\\^", 1)
            found[-1] += f"(?!/)[{chosen}]"
            position = end
        else:
            found[-1] += re.escape(char)
        position += 1
    return any_between("[^/]", found)
