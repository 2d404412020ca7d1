"""How the cost grows: the exponent of a power law, fitted to medians by least squares in log-log space."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.planning import FILES, METADATA, SYNC
from benchmarks.results import Result, Results


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """Cost by a number: the points (number, seconds), the exponent of all points and of the last two."""

    series: str
    against: str
    points: tuple[tuple[int, float], ...]
    exponent: float
    last: float


def growths(results: Results) -> list[Growth]:
    """Return the fits of plans with nothing to do, by number of environments, packages and files."""
    found = [each for each in results.operations if each.environments]
    if not found:
        return []
    middle = sorted({each.packages for each in found})[len({each.packages for each in found}) // 2]
    of_middle = [each for each in found if each.packages == middle]
    many = max({each.environments for each in found if each.packages != middle}, default=0)
    of_many = [each for each in found if each.environments == many]
    axes = (
        (f"environments (of {middle} packages)", of_middle, "environments"),
        (f"packages ({many} environments)", of_many, "packages"),
        (f"files of each ({many} environments)", of_many, "files"),
    )
    fitted = [_fit(name, against, chosen, axis) for against, chosen, axis in axes for name in (METADATA, FILES, SYNC)]
    return [each for each in fitted if each is not None]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of log y over log x."""
    logs = [(math.log(x), math.log(y)) for x, y in points]
    mean_x = sum(x for x, _ in logs) / len(logs)
    mean_y = sum(y for _, y in logs) / len(logs)
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)


def _fit(name: str, against: str, chosen: Sequence[Result], axis: str) -> Growth | None:
    points = sorted(
        (getattr(result, axis), each.median) for result in chosen for each in result.series if each.name == name
    )
    if len({x for x, _ in points}) < 2:
        return None
    return Growth(series=name, against=against, points=tuple(points), exponent=slope(points), last=slope(points[-2:]))
