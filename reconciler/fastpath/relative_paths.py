"""Splits an environment's directories into base directories and short paths relative to them.

`stat_check` changes into a base directory and examines what is below it, because the kernel resolves short paths
faster.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

BaseDirectory: TypeAlias = tuple[str, int, int]
"""A directory to enter, and the range of directories (start, stop) that are examined from there."""

# To enter a directory costs as much as so many components of a path (measured: anything from 20 to 200 works).
_COMPONENTS_TO_ENTER = 80


@lru_cache(maxsize=16)  # environments of the same packages have the same directories
def relative_paths(directories: tuple[str, ...]) -> tuple[str, list[BaseDirectory]]:
    """Return the path of each directory relative to its base directory, joined by NUL, and the base directories.

    `directories` are an inventory's: relative to the environment, each parent directly before what is below it. The
    order stays.
    """
    bases = _base_directories(directories)
    paths = [
        directory[len(base) + 1 if base else 0 :]
        for base, start, stop in bases
        for directory in directories[start:stop]
    ]
    return "\0".join(paths), bases


def _base_directories(directories: Sequence[str]) -> list[BaseDirectory]:
    ends = _ends(directories)
    depths = [each.count("/") + 1 if each else 0 for each in directories]
    found: list[BaseDirectory] = []
    stack = [0]  # positions of base directories, each below the one before
    for number, end in enumerate(ends):
        while number >= ends[stack[-1]]:
            stack.pop()
        if (end - number) * (depths[number] - depths[stack[-1]]) >= _COMPONENTS_TO_ENTER:
            stack.append(number)
        base = directories[stack[-1]]
        if found and found[-1][0] == base:
            found[-1] = (base, found[-1][1], number + 1)
        else:
            found.append((base, number, number + 1))
    return found


def _ends(directories: Sequence[str]) -> list[int]:
    """Return for each directory the position after the last directory below it."""
    ends = [len(directories)] * len(directories)
    above: list[int] = []
    for number, directory in enumerate(directories):
        while above and directories[above[-1]] and not directory.startswith(directories[above[-1]] + "/"):
            ends[above.pop()] = number
        above.append(number)
    return ends
