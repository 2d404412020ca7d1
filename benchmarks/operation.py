"""What is measured: an operation, its competitors, and its aims."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.timing import Command, Starter


def _nothing(_round: int) -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class Competitor:
    """One way to do an operation: the commands of a round, and what runs before them without being measured.

    The seconds of a sampled loop are multiplied by `times`. `read` returns further series, in seconds, from the output.
    """

    name: str
    commands: Callable[[int], Sequence[Command]]
    before: Callable[[int], None] = _nothing
    at_once: int = 1
    times: int = 1
    read: Callable[[tuple[str, ...]], Mapping[str, float]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A series: `whole` minus `part`, round by round."""

    name: str
    whole: str
    part: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """The aim (docs/design.md, "Speed") that `ours` minus `fixed` seconds is at most `most` times `theirs`."""

    ours: str
    theirs: str
    most: float
    fixed: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The aim (docs/design.md, "Speed") that the peak memory of `ours` is under `under` MiB."""

    ours: str
    under: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of the catalogue; the other competitors are compared with the first.

    `environments`, `packages` and `files` (of each environment) are its size, if growth is fitted to it.
    """

    name: str
    title: str
    competitors: tuple[Competitor, ...]
    differences: tuple[Difference, ...] = ()
    aims: tuple[Aim | Memory, ...] = ()
    environments: int = 0
    packages: int = 0
    files: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The rounds of one competitor: wall seconds, and the peak of the largest process in KiB (0: not measured)."""

    name: str
    seconds: tuple[float, ...]
    peak_kib: int = 0
    times: int = 1

    @property
    def median(self) -> float:
        """Return the median in seconds."""
        return median(self.seconds)


def ratio(ours: Series, theirs: Series, fixed: float = 0.0) -> float:
    """Return the median of the ratios per round, after subtracting `fixed` seconds from ours."""
    return median((one - fixed) / other for one, other in zip(ours.seconds, theirs.seconds, strict=True))


def measure(operation: Operation, starter: Starter, rounds: int, *, warm_up: bool = True) -> list[Series]:
    """Run every competitor once per round, in rotating order, after a warm-up round that does not count.

    The warm-up round runs in reverse order, so that files that other tools leave in an environment (uv leaves a lock
    file) exist from then on.
    """
    seconds: dict[str, list[float]] = {}
    peaks: dict[str, int] = {}
    competitors = operation.competitors
    backwards = competitors[::-1]
    for number in range(rounds + warm_up):
        turn = number % len(competitors)
        for each in backwards if number < warm_up else (*competitors[turn:], *competitors[:turn]):
            each.before(number)
            timing = starter.run(each.commands(number), each.at_once)
            if number < warm_up:
                continue
            found = {each.name: timing.seconds * each.times, **(each.read(timing.outputs) if each.read else {})}
            for name, value in found.items():
                seconds.setdefault(name, []).append(value)
            peaks[each.name] = max(peaks.get(each.name, 0), timing.peak_kib)
    for less in operation.differences:
        both = zip(seconds[less.whole], seconds[less.part], strict=True)
        seconds[less.name] = [one - other for one, other in both]
    times = {each.name: each.times for each in competitors}
    order = [name for each in competitors for name in seconds if name == each.name or name.startswith(f"{each.name}: ")]
    order += [less.name for less in operation.differences]
    return [
        Series(name=name, seconds=tuple(seconds[name]), peak_kib=peaks.get(name, 0), times=times.get(name, 1))
        for name in order
    ]
