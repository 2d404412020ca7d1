"""Where to stand while an environment's directories are looked at: from near by, paths are short, and found faster."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

Station: TypeAlias = tuple[str, int, int]
"""A directory to enter, and the range of directories that are looked at from there."""

# To enter a directory takes as long as so many steps down a path (measured: anything from 20 to 200 serves).
_STEPS_TO_ENTER = 80


@lru_cache(maxsize=16)  # environments of the same packages have the same directories
def near(directories: tuple[str, ...]) -> tuple[str, list[Station]]:
    """Return the way to each of an inventory's directories, joined by NUL, and from which stations, in order.

    Directories are relative paths, parents right before what is below.
    """
    stations = _stations(directories)
    ways = [
        directory[len(station) + 1 if station else 0 :]
        for station, start, stop in stations
        for directory in directories[start:stop]
    ]
    return "\0".join(ways), stations


def _stations(directories: Sequence[str]) -> list[Station]:
    ends = _ends(directories)
    depths = [each.count("/") + 1 if each else 0 for each in directories]
    found: list[Station] = []
    standing = [0]  # positions of directories, each below the one before
    for number, end in enumerate(ends):
        while number >= ends[standing[-1]]:
            standing.pop()
        if (end - number) * (depths[number] - depths[standing[-1]]) >= _STEPS_TO_ENTER:
            standing.append(number)
        place = directories[standing[-1]]
        if found and found[-1][0] == place:
            found[-1] = (place, found[-1][1], number + 1)
        else:
            found.append((place, number, number + 1))
    return found


def _ends(directories: Sequence[str]) -> list[int]:
    """Return for each directory the position behind the last one that is below it."""
    ends = [len(directories)] * len(directories)
    above: list[int] = []
    for number, directory in enumerate(directories):
        while above and directories[above[-1]] and not directory.startswith(directories[above[-1]] + "/"):
            ends[above.pop()] = number
        above.append(number)
    return ends
