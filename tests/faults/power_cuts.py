"""Make power cuts, two at the same time; each operation has its own process and its own disk."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import product
from multiprocessing import get_context
from pathlib import Path

from tests.faults.loop_device import loop_disk
from tests.faults.operations import operations
from tests.faults.power_trial import PowerTrials
from tests.faults.tracer import Fault
from tests.faults.verdict import Verdict
from tests.host import new_host
from tests.installed_pythons import interpreters


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One cut and its verdict; `left_out` names the system call that was left out, if any."""

    operation: str
    verdict: Verdict
    left_out: str = ""

    @property
    def wrong(self) -> bool:
        """Return whether the result is not the promised one: damage, or no damage although a sync was left out."""
        return not self.verdict.torn if self.left_out else self.verdict.bad


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The numbers of cuts in one operation, after exit 0 and before it, and one for each call that is left out.

    `before` names further calls to cut before, as `Fault.only` does (`syncfs 1`), each at its first and second time.
    """

    operation: str
    after: int = 0
    during: int = 0
    before: Sequence[str] = ()
    left_out: Sequence[str] = ()


def power_cuts(
    directory: Path, wanted: Sequence[Wanted], on_result: Callable[[Cut], None] = lambda _: None, *, jobs: int = 2
) -> list[Cut]:
    """Make the cuts and return them in the order of `wanted`; call `on_result` with those of each finished operation.

    Call `not_run` first, to check that this machine can make them.
    """
    # Spawned processes, because the trials fork and the index is a thread of this process.
    with new_host(directory / "host") as host, ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running = [pool.submit(_cuts, each, directory / each.operation, host.index.url) for each in wanted]
        for each in as_completed(running):
            for cut in each.result():
                on_result(cut)
        return [cut for each in running for cut in each.result()]


def _cuts(wanted: Wanted, directory: Path, index: str) -> list[Cut]:
    series = sorted(each for each in interpreters() if each in {"3.11", "3.12", "3.13"})
    name = wanted.operation
    operation = next(each for each in operations(series[0], series[-1]) if each.name == name)
    with loop_disk(directory) as disk:
        trials = PowerTrials(operation, disk, index)
        done = [Cut(operation=name, verdict=trials.cut_after()) for _ in range(wanted.after)]
        if wanted.during:
            points = _points(trials.count(), wanted.during)
            done += [Cut(operation=name, verdict=trials.cut_during(each)) for each in points]
        for only, at in product(wanted.before, (1, 2)):
            done.append(Cut(operation=name, verdict=trials.cut_during(Fault(whose="own", at=at, only=only))))
        for call in wanted.left_out:
            done.append(Cut(operation=name, verdict=trials.cut_after(left_out=(call,)), left_out=call))
    return done


def _points(counted: Verdict, count: int) -> Iterator[Fault]:
    """Yield kills at `count` calls: two thirds at its own, the others at those of its children, if it has any."""
    own, children = (len(each) for each in counted.calls)
    inside = count // 3 if children else 0
    for number in range(count - inside):
        yield Fault(whose="own", at=1 + own * (2 * number + 1) // (2 * (count - inside)))
    for number in range(inside):
        yield Fault(whose="children", at=1 + children * (2 * number + 1) // (2 * inside), parent=True)
