"""The results of a run as JSON: every round of every series, the aims, and the versions of the tools."""

import datetime as dt
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.operation import Aim, Memory, Operation, Series, ratio
from benchmarks.tools import Tools

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """An aim and its measurement: `limit` and `measured` are ratios, or MiB if `theirs` is empty."""

    ours: str
    theirs: str
    limit: float
    measured: float
    fixed: float = 0.0

    @property
    def met(self) -> bool:
        """Return whether the aim was met."""
        return self.measured <= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of one operation; `not_run` is the reason if it did not run."""

    name: str
    title: str
    series: tuple[Series, ...] = ()
    aims: tuple[Verdict, ...] = ()
    environments: int = 0
    packages: int = 0
    files: int = 0
    not_run: str = ""


@dataclass(slots=True, kw_only=True)
class Results:
    """The results of a run, in the order of the catalogue."""

    measured: str
    rounds: int
    processors: int
    system: str
    versions: Mapping[str, str]
    operations: list[Result] = field(default_factory=list)

    def add(self, result: Result, *, order: Sequence[str]) -> None:
        """Insert a result in order; it replaces a result of the same name."""
        self.operations = [each for each in self.operations if each.name != result.name] + [result]
        self.operations.sort(key=lambda each: order.index(each.name) if each.name in order else len(order))

    def write(self, path: Path) -> None:
        """Write the results as JSON."""
        content = json.dumps({"format": FORMAT, **asdict(self)}, indent=1)
        path.write_text(content + "\n", encoding="utf-8")


def new_results(tools: Tools, rounds: int) -> Results:
    """Return empty results with the versions of the tools and the kind of machine, without its name or paths."""
    reported = {"envsync": tools.envsync, "uv": tools.uv, "pip": tools.pip, "pip-tools": tools.pip_sync}
    versions = {name: tools.version(path) for name, path in (reported | {"venvs": tools.venvs}).items() if path}
    return Results(
        measured=f"{dt.datetime.now(dt.UTC):%Y-%m-%d}",
        rounds=rounds,
        processors=os.cpu_count() or 1,
        system=f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        versions={"CPython": tools.version(tools.base), **versions},
    )


def read_results(path: Path) -> Results:
    """Return results from a file. Raise ValueError if its format is not supported."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if found.pop("format") != FORMAT:
        raise ValueError(f"{path.name} has an unsupported format")
    return Results(**(found | {"operations": [_result(each) for each in found["operations"]]}))


def result_of(operation: Operation, measured: Sequence[Series]) -> Result:
    """Return the result of an operation, with a verdict for each aim."""
    by_name = {each.name: each for each in measured}
    return Result(
        name=operation.name,
        title=operation.title,
        series=tuple(_rounded(each) for each in measured),
        aims=tuple(_verdict(aim, by_name) for aim in operation.aims),
        environments=operation.environments,
        packages=operation.packages,
        files=operation.files,
    )


def _verdict(aim: Aim | Memory, series: Mapping[str, Series]) -> Verdict:
    if isinstance(aim, Memory):
        return Verdict(ours=aim.ours, theirs="", limit=aim.under, measured=round(series[aim.ours].peak_kib / 1024, 1))
    found = ratio(series[aim.ours], series[aim.theirs], aim.fixed)
    return Verdict(ours=aim.ours, theirs=aim.theirs, limit=aim.most, measured=round(found, 5), fixed=aim.fixed)


def _rounded(series: Series) -> Series:
    seconds = tuple(round(each, 6) for each in series.seconds)
    return Series(name=series.name, seconds=seconds, peak_kib=series.peak_kib, times=series.times)


def _result(found: dict[str, Any]) -> Result:
    series = tuple(Series(**(each | {"seconds": tuple(each["seconds"])})) for each in found["series"])
    return Result(**(found | {"series": series, "aims": tuple(Verdict(**each) for each in found["aims"])}))
